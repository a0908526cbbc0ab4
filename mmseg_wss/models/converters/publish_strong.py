"""A checkpoint without its weak branch and the state of its training."""
import copy
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.models.decode_heads import TwoBranchHead
from mmseg_wss.utils.checkpoint_file import load_from_local, save_checkpoint_bytes
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
        OSError: the file cannot be written.
    """
    init_default_scope(config.get('default_scope', 'mmseg'))
    head = MODELS.build(copy.deepcopy(config.model)).decode_head
    if not isinstance(head, TwoBranchHead):
        raise DataError(f'{config.filename}: decode_head is a {type(head).__name__}, which has no '
                        'weak branch to leave out.')
    config.model.decode_head.update(weak_branch=False, predict_branch='strong')
    wanted = MODELS.build(config.model).state_dict()
    kept, loaded = weights_of(checkpoint, wanted, config.filename)
    facts = loaded.get('meta')
    kept_facts = 'dataset_meta', 'seen_images', 'iter', 'epoch', 'mmengine_version'
    meta = {key: facts[key] for key in kept_facts if isinstance(facts, dict) and key in facts}
    content = save_checkpoint_bytes(dict(state_dict=kept, meta=meta))
    with atomic_path(out) as temporary:
        Path(temporary).write_bytes(content)
    return len(loaded['state_dict']), len(kept)


def weights_of(checkpoint, wanted, config_name):
    """The weights of a network in a checkpoint, which may hold more.

    Args:
        checkpoint (str): file that a training wrote, or `publish_strong`.
        wanted (dict[str, Tensor]): parameters and buffers of the network.
        config_name (str): file of the network's config, for messages.

    Returns:
        tuple[dict, dict]: the tensors of the keys of `wanted`; all that the file holds.

    Raises:
        DataError: it is no checkpoint, or tensors are missing or of another shape.
    """
    loaded = load_from_local(checkpoint, map_location='cpu')
    weights = loaded.get('state_dict') if isinstance(loaded, dict) else None
    if not isinstance(weights, dict):
        raise DataError(f'{checkpoint}: expected the checkpoint of a training, a dict with '
                        f'state_dict; got {_summary(loaded)}.')
    faults = [key for key in wanted
              if not isinstance(weights.get(key), torch.Tensor)
              or weights[key].shape != wanted[key].shape]
    if faults:
        raise DataError(f'{checkpoint} is not a checkpoint of {config_name}: '
                        f'{len(faults)} tensors are missing or of another shape: '
                        f'{abridged(faults, 4)}.')
    return {key: weights[key] for key in wanted}, loaded


def _summary(loaded):
    if isinstance(loaded, dict):
        return f'a dict with {abridged([str(key) for key in loaded], 4) or "nothing"}'
    return f'a {type(loaded).__name__}'
