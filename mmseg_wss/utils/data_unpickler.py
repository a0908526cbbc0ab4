"""The reader of data alone for torch before 2.5, whose own cannot be told of further types."""
import _codecs
import pickle
from collections import Counter
from contextlib import contextmanager

import torch


class DataUnpickler(pickle._Unpickler):
    """An unpickler that knows the globals of `allowed` and no others.

    Args:
        file: opened for reading bytes.
        encoding (str): of strings that Python 2 wrote.

    Raises:
        pickle.UnpicklingError: from ``load``, when the file names another global or sets the state
            of another type; nothing of it was called.
    """

    allowed = {}  # name in a file -> class or function

    def __init__(self, file, *, encoding='bytes'):
        super().__init__(file, encoding=encoding)

    def find_class(self, module, name):
        module = 'builtins' if module == '__builtin__' else module  # as protocol 2 calls it
        try:
            return self.allowed[f'{module}.{name}']
        except KeyError:
            raise pickle.UnpicklingError(f'GLOBAL {module}.{name}') from None

    def load_build(self):
        kind = type(self.stack[-2])
        if not any(kind is value for value in self.allowed.values()):
            raise pickle.UnpicklingError(f'GLOBAL {kind.__module__}.{kind.__qualname__}')
        super().load_build()

    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: load_build}


@contextmanager
def read_by_data_unpickler(values):
    """``torch.load(weights_only=True)`` of torch before 2.5 reads with a `DataUnpickler`.

    Args:
        values (list): classes and functions beside torch's own, or pairs of one and the name that a
            file has for it, as ``torch.serialization.safe_globals`` takes them.
    """
    reader, names = torch._weights_only_unpickler, _names(values)
    before = reader.Unpickler, torch.jit.load
    reader.Unpickler = type('Unpickler', (DataUnpickler, ), dict(allowed=names))
    torch.jit.load = _refuse_script
    try:
        yield
    finally:
        reader.Unpickler, torch.jit.load = before


def _names(values):
    names = dict(torch._weights_only_unpickler._get_allowed_globals())
    # what torch 2.5 knows besides
    names.update({str(dtype): dtype for dtype in (torch.bool, torch.uint8, torch.bfloat16)})
    for value in (_codecs.encode, bytearray, complex, set, Counter, torch.device, *values):
        value, name = value if isinstance(value, tuple) else (
            value, f'{value.__module__}.{value.__qualname__}')
        names[name] = value
    return names


def _refuse_script(*args, **kwargs):
    """``torch.load`` calls ``torch.jit.load`` for such a file, whatever was asked for."""
    raise pickle.UnpicklingError('GLOBAL TorchScript')
