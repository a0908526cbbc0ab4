"""A checkpoint without its weak branch and the state of its training."""
import copy
import pickle

import torch
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import _load_checkpoint
from mmseg.registry import MODELS

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.models.decode_heads import TwoBranchHead
from mmseg_wss.utils.fileio import atomic_path


def publish_strong(config, checkpoint, out):
    """Write the published checkpoint.

    Args:
        config (Config): of the two-branch model that was trained.
        checkpoint (str): file that the training wrote.
        out (str): file to write, with the keys state_dict and meta.

    Returns:
        tuple[int, int]: parameters and buffers of the checkpoint, and of the published one.

    Raises:
        DataError: the model has no two-branch head, or the checkpoint is not of this config, or
            not one at all.
    """
    init_default_scope(config.get('default_scope', 'mmseg'))
    head = MODELS.build(copy.deepcopy(config.model)).decode_head
    if not isinstance(head, TwoBranchHead):
        raise DataError(f'{config.filename}: decode_head is a {type(head).__name__}, which has no '
                        'weak branch to leave out.')
    config.model.decode_head.update(weak_branch=False, predict_branch='strong')
    wanted = MODELS.build(config.model).state_dict()
    try:
        loaded = _load_checkpoint(checkpoint, map_location='cpu')
        weights = loaded['state_dict']
    except (KeyError, TypeError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise DataError(f'{checkpoint} is not a checkpoint of a training, or is damaged: '
                        f'{error!r}') from error
    faults = [key for key in wanted
              if key not in weights or weights[key].shape != wanted[key].shape]
    if faults:
        raise DataError(f'{checkpoint} is not a checkpoint of {config.filename}: '
                        f'{len(faults)} tensors are missing or of another shape: '
                        f'{abridged(faults, 4)}.')
    kept = {key: weights[key] for key in wanted}
    meta = {key: loaded['meta'][key]
            for key in ('dataset_meta', 'iter', 'epoch', 'mmengine_version')
            if key in loaded.get('meta', {})}
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=kept, meta=meta), temporary)
    return len(weights), len(kept)
