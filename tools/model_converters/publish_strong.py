"""Write the part of a checkpoint that inference needs: no weak branch, no optimiser state.

    python tools/model_converters/publish_strong.py CONFIG CHECKPOINT OUT

OUT loads strictly into the same config with ``model.decode_head.weak_branch=False`` and predicts
what CHECKPOINT predicts with ``predict_branch='strong'``.
"""
import argparse
import copy
import os.path as osp
import pickle

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import _load_checkpoint
from mmseg.registry import MODELS

from mmseg_wss.models import TwoBranchHead
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
        ValueError: the model has no two-branch head, or the checkpoint is not of this config, or
            not one at all.
    """
    init_default_scope(config.get('default_scope', 'mmseg'))
    head = MODELS.build(copy.deepcopy(config.model)).decode_head
    if not isinstance(head, TwoBranchHead):
        raise ValueError(f'{config.filename}: decode_head is a {type(head).__name__}, which has no '
                         'weak branch to leave out.')
    config.model.decode_head.update(weak_branch=False, predict_branch='strong')
    wanted = MODELS.build(config.model).state_dict()
    try:
        loaded = _load_checkpoint(checkpoint, map_location='cpu')
        weights = loaded['state_dict']
    except (KeyError, TypeError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(f'{checkpoint} is not a checkpoint of a training, or is damaged: '
                         f'{error!r}') from error
    faults = [key for key in wanted
              if key not in weights or weights[key].shape != wanted[key].shape]
    if faults:
        raise ValueError(f'{checkpoint} is not a checkpoint of {config.filename}: '
                         f'{len(faults)} tensors are missing or of another shape, {faults[0]!r} '
                         'among them.')
    kept = {key: weights[key] for key in wanted}
    meta = {key: loaded['meta'][key]
            for key in ('dataset_meta', 'iter', 'epoch', 'mmengine_version')
            if key in loaded.get('meta', {})}
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=kept, meta=meta), temporary)
    return len(weights), len(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config of the training')
    parser.add_argument('checkpoint', help='checkpoint of the training')
    parser.add_argument('out', help='file to write')
    args = parser.parse_args()
    for file in (args.config, args.checkpoint):
        if not osp.isfile(file):
            raise SystemExit(f'{file}: there is no such file.')
    try:
        before, after = publish_strong(Config.fromfile(args.config), args.checkpoint, args.out)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    print(f'{args.out}: {after} of {before} tensors, '
          f'{osp.getsize(args.out) / osp.getsize(args.checkpoint):.0%} of the size. Use it with '
          '--cfg-options model.decode_head.weak_branch=False')


if __name__ == '__main__':
    main()
