"""What is in the checkpoints of a training: tensors and plain values alone, and their checksum."""
import os

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmseg_wss.errors import DataError
from mmseg_wss.utils.checkpoint_file import checksum

_LOG = '_log_history', '_count_history', 'max_length'  # of a HistoryBuffer


def plain(value):
    """A value with NumPy's types, paths and mmengine's logs as tensors and plain Python values."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
    if isinstance(value, HistoryBuffer):
        return {name: plain(vars(value)[name]) for name in _LOG}
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, os.PathLike) else value


def seal(checkpoint):
    """Make a checkpoint plain, in place, and write the checksum of its contents into its meta.

    So it loads with torch's ``weights_only``, and `open_sealed` sees every bit that has changed.

    Args:
        checkpoint (dict): what mmengine's ``Runner`` is about to save.
    """
    checkpoint.update({key: plain(value) for key, value in checkpoint.items()
                       if key != 'state_dict'})  # a network's state has tensors alone
    checkpoint['meta'].pop('checksum', None)
    checkpoint['meta']['checksum'] = checksum(checkpoint)


def open_sealed(checkpoint, path):
    """Check a checkpoint, and give mmengine's logs back to it, in place.

    Args:
        checkpoint (dict): as loaded; one that was not written by `seal` stays as it is.
        path (str): of its file, for the message.

    Raises:
        DataError: the contents have changed since they were saved.
    """
    meta = checkpoint.get('meta')
    sealed = meta.pop('checksum', None) if isinstance(meta, dict) else None
    if sealed is not None and checksum(checkpoint) != sealed:
        raise DataError(
            f'{path}: the checkpoint is damaged: its contents are not those that were saved. Take '
            "a copy of it, or another checkpoint of the run. (If you changed it yourself, remove "
            "meta['checksum'].)")
    logs = (checkpoint.get('message_hub') or {}).get('log_scalars', {})
    for name, log in logs.items():
        if isinstance(log, dict) and log.keys() == set(_LOG):
            values, counts, length = (log[key] for key in _LOG)
            logs[name] = HistoryBuffer(values.cpu().numpy(), counts.cpu().numpy(), length)
