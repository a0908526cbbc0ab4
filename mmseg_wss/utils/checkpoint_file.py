"""Checkpoints are read as data: nothing that a file says is executed.

A checkpoint is a pickle, which can name any function and call it. torch's ``weights_only`` lets it
have tensors and plain Python values alone; mmengine tries that and then falls back to executing
the file. Importing this module, as whoever finds a class of `mmseg_wss.registry` does, takes the
fallback out of all of mmengine's ways to load a checkpoint.
"""
import functools
import io
import os
import pickle
import re
import tarfile
import zipfile
import zlib
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

from mmseg_wss.errors import DataError
from mmseg_wss.utils.data_unpickler import read_by_data_unpickler

TRUST = 'MMSEG_WSS_TRUST_CHECKPOINTS'  # environment variable, set by --trust-checkpoint
_LFS = b'version https://git-lfs'
_GLOBAL = re.compile(r'(?:GLOBAL|class|[Ff]unction|instantiate|reduce for unrecognized function)\s+'
                     r'<?(?:class |function |built-in function )?[\'"]?([\w.]+)')


def _statistic(owner, name):
    """What ``getattr`` may be asked for by the logs of mmengine's own checkpoints."""
    if owner is not HistoryBuffer or name not in ('min', 'max', 'mean', 'current'):
        raise pickle.UnpicklingError(
            f'GLOBAL builtins.getattr: it asks for the attribute {name!r} of {owner!r}')
    return getattr(owner, name)


def _safe_globals():
    """What checkpoints of mmengine, mmseg and torchvision have besides tensors: logs and scores."""
    functions = [value.__reduce__()[0] for value in (np.zeros(0), np.float32(0))]
    return [
        HistoryBuffer, np.ndarray, np.dtype, (_statistic, 'builtins.getattr'),
        *(type(np.dtype(code)) for code in '?bBhHiIlLqQefd'),
        *((function, f'numpy.{package}.multiarray.{function.__name__}')
          for function in functions for package in ('core', '_core'))]


def load_from_local(filename, map_location=None):
    """Read a checkpoint; mmengine's loader of this name is replaced with this.

    Args:
        filename (str): path of a file.
        map_location: see ``torch.load``.

    Returns:
        what the file holds, a dict for a checkpoint of a training.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it is no checkpoint, or damaged, or needs more than tensors and plain values. The
            message names the file and the remedy.
    """
    filename = os.path.expanduser(str(filename))
    if not os.path.isfile(filename):
        raise FileNotFoundError(f'{filename}: there is no such checkpoint.')
    _check_kind(filename)
    try:
        with _data_alone(filename):
            return torch.load(filename, map_location=map_location)
    except (DataError, OSError, MemoryError, torch.cuda.OutOfMemoryError):
        raise
    except Exception as error:  # torch raises many types for a damaged file
        if 'map_location' in str(error):  # of a GPU, and there is none
            raise
        reason = str(error).rpartition('WeightsUnpickler error: ')[2].strip()  # not torch's advice
        first = next(iter(reason.splitlines()), '')[:200]
        raise DataError(f'{filename}: the checkpoint is damaged ({type(error).__name__}: {first}). '
                        'Copy or make it again.') from error


@contextmanager
def _data_alone(name):
    """``torch.load`` takes data alone, whatever its caller asks for, unless the user trusts it.

    Args:
        name (str): of the checkpoint, for the message.

    Raises:
        DataError: it needs more.
    """
    if os.environ.get(TRUST):
        choice, allowed = {'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD': '1'}, nullcontext()
    else:
        choice = {'TORCH_FORCE_WEIGHTS_ONLY_LOAD': '1'}
        allowed = getattr(torch.serialization, 'safe_globals', read_by_data_unpickler)(
            _safe_globals())
    names = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ.update(choice)
    try:
        with allowed:
            yield
    except pickle.UnpicklingError as error:
        found = _GLOBAL.search(str(error))
        if found is None:
            raise
        raise DataError(
            f'{name}: loading it would run code: it names {found.group(1)}, which is none of the '
            'types that weights consist of. Nothing was run. If you trust who made the file, load '
            f'it with --trust-checkpoint (other tools: set {TRUST}=1).') from error
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def _check_kind(path):
    """Refuse files that are no checkpoint at all."""
    with open(path, 'rb') as file:
        head = file.read(64)
    remedy = 'Copy or make the checkpoint again.'
    if not head:
        raise DataError(f'{path}: the file is empty. {remedy}')
    if head.startswith(_LFS):
        raise DataError(f'{path}: it is a pointer of git-lfs, not the checkpoint itself. Fetch it '
                        'with "git lfs pull".')
    if head.startswith(b'PK') and not _is_whole_archive(path):
        raise DataError(f'{path}: its end is missing or damaged; a copy or a download was cut off. '
                        f'{remedy}')
    if not (head.startswith((b'PK', b'\x80')) or tarfile.is_tarfile(path)):
        raise DataError(f'{path}: this is no checkpoint of PyTorch; it begins with {head[:16]!r}. '
                        'Name a .pth file that a training wrote.')


def _is_whole_archive(path):
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # by its end it is a part of an archive
        return False


def checksum(value, crc=0):
    """CRC-32 of tensors and plain values, in the order in which they come.

    Args:
        value: tensors, dicts, lists and tuples of them, and values whose ``repr`` says all.
        crc (int): of what came before.

    Returns:
        int: 0 to 2**32 - 1; equal for equal contents, wherever the tensors lie.
    """
    if isinstance(value, torch.Tensor):
        crc = zlib.crc32(f'{value.dtype} {tuple(value.shape)}'.encode(), crc)
        content = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        return zlib.crc32(content.numpy(), crc)
    if isinstance(value, dict):
        for key, item in value.items():
            crc = checksum(item, zlib.crc32(repr(key).encode(), crc))
        return crc
    if isinstance(value, (list, tuple)):
        for item in value:
            crc = checksum(item, crc)
        return zlib.crc32(str(len(value)).encode(), crc)
    return zlib.crc32(repr(value).encode(), crc)


def save_checkpoint_bytes(checkpoint):
    """A checkpoint as bytes, the same for the same contents: the name of a file is not in them."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    return buffer.getvalue()


def _safely(loader):
    """A loader of mmengine that gets data alone."""
    @functools.wraps(loader)
    def load(filename, *args, **kwargs):
        with _data_alone(filename):
            return loader(filename, *args, **kwargs)
    return load


def _install():
    for prefix, loader in list(CheckpointLoader._schemes.items()):
        if not hasattr(loader, '__wrapped__'):
            CheckpointLoader.register_scheme(prefix, _safely(loader), force=True)
    CheckpointLoader.register_scheme('', load_from_local, force=True)


_install()
