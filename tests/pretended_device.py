"""A second device on a machine without a GPU: wrong devices fail, and what is read back is counted.

    with pretended_device() as log:
        model.to(CUDA)
        model.train_step(batch, optimizer)
    assert log.reads == []

A tensor on the pretended device says that it lies on 'cuda:0', and is computed on the CPU. An
operation on such a tensor and one on the CPU raises RuntimeError, as CUDA does, unless the latter
is a number (a tensor without dimensions), an index, or the source of a copy. It is no CUDA:
torch.autocast, streams and kernels that only CUDA has need a GPU.
"""
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

CUDA = torch.device('cuda', 0)
# what they give is a number on the CPU, or has a shape that depends on values
WAITS = {'_local_scalar_dense', 'equal', 'nonzero', 'masked_select', '_unique', '_unique2',
         'unique_dim', 'unique_consecutive', 'unique_dim_consecutive', 'bincount',
         'repeat_interleave'}
TRANSFERS = {'copy_', '_to_copy'}
JOINING = {'cat', 'stack'}
INDEXING = {'index', 'index_put', 'index_put_', '_index_put_impl_', '_unsafe_index'}


class PretendedTensor(torch.Tensor):
    """A tensor of the pretended device around the one on the CPU that has its values."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner):
        # to C++ it is 'meta': backward runs in the calling thread, and no kernel is chosen for CUDA
        outer = torch.Tensor._make_wrapper_subclass(
            cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(),
            dtype=inner.dtype, layout=inner.layout, device='meta',
            requires_grad=inner.requires_grad)
        outer.inner = inner.detach()
        return outer

    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = is_meta = property(lambda self: False)

    def get_device(self):
        return CUDA.index

    def tolist(self):
        return self.cpu().tolist()

    def new_tensor(self, data, **options):
        return torch.tensor(data, **{'dtype': self.dtype, 'device': CUDA, **options})

    def __getitem__(self, index):
        return super().__getitem__(_lists_to_tensors(index))

    def __setitem__(self, index, value):
        if not isinstance(value, torch.Tensor):  # as with CUDA, numbers stay on the CPU
            value = torch.tensor(value, dtype=self.dtype)
        super().__setitem__(_lists_to_tensors(index), value)

    def __repr__(self):
        return f'PretendedTensor({self.inner!r})'

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError(f'{function}: a tensor of the pretended device outlived it')


class Log:
    """Where a block read values of the device (`reads`) and gave it some: 'module.function'."""

    def __init__(self):
        self.reads, self.uploads = [], []


class _PretendedDevice(TorchDispatchMode):

    def __init__(self, log):
        super().__init__()
        self.log = log

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = function._schema.name.split('::')[1]
        tensors = _tensors((args, kwargs))
        inside = [t for t in tensors if isinstance(t, PretendedTensor)]
        target = kwargs.get('device')
        if target is not None:
            target = torch.device(target)
            kwargs['device'] = torch.device('cpu')
        on_device = bool(inside) if target is None else target.type != 'cpu'
        if name in TRANSFERS:
            on_device = self._transfer(name, args, on_device)
        elif inside:
            _check_devices(function, name, args, tensors)
            if name in WAITS or name in INDEXING and _by_mask(name, args):
                self.log.reads.append(_place())
            elif name in INDEXING and len(_tensors(args)) > len(inside):
                self.log.uploads.append(_place())
        out = function(*_unwrap(args), **_unwrap(kwargs))
        if name.endswith('_') and not name.endswith('__'):
            return args[0]
        return _wrap(out) if on_device else out

    def _transfer(self, name, args, on_device):
        source = args[1] if name == 'copy_' else args[0]
        if name == 'copy_':
            on_device = isinstance(args[0], PretendedTensor)
        if isinstance(source, PretendedTensor) and not on_device:
            self.log.reads.append(_place())
        elif on_device and not isinstance(source, PretendedTensor):
            self.log.uploads.append(_place())
        return on_device


def _check_devices(function, name, args, tensors):
    for tensor in tensors:
        if tensor.device.type == 'meta':
            raise RuntimeError(f'{function} got a tensor that PyTorch made unseen.')
        is_number = not tensor.dim() and name not in JOINING
        is_changed = name.endswith('_') and tensor is args[0]
        is_index = name in INDEXING and any(tensor is index for index in args[1])
        if not isinstance(tensor, PretendedTensor) and (
                is_changed or not (is_number or is_index)):
            raise RuntimeError(
                f'{function} expected all tensors to be on the same device, but found at least two '
                f'devices, {CUDA} and cpu! (shape {tuple(tensor.shape)})')


def _by_mask(name, args):
    """Whether an index is a mask that CUDA turns into places; x[mask] = number fills instead."""
    masked = any(isinstance(index, PretendedTensor) and index.dtype in (torch.bool, torch.uint8)
                 for index in args[1])
    fills = name != 'index' and not isinstance(args[2], PretendedTensor) and args[2].numel() == 1
    return masked and not fills


def _lists_to_tensors(index):
    if isinstance(index, tuple):
        return tuple(map(_lists_to_tensors, index))
    return torch.tensor(index) if isinstance(index, list) else index


def _tensors(tree):
    if isinstance(tree, torch.Tensor):
        return [tree]
    children = tree.values() if isinstance(tree, dict) else tree
    return ([t for child in children for t in _tensors(child)]
            if isinstance(tree, (dict, list, tuple)) else [])


def _unwrap(tree):
    return tree_map(lambda x: x.inner if isinstance(x, PretendedTensor) else x, tree)


def _wrap(tree):
    return tree_map(lambda x: PretendedTensor(x) if isinstance(x, torch.Tensor) else x, tree)


def _place():
    """The innermost named function that is neither PyTorch's nor this file's."""
    skipped = str(Path(torch.__file__).parent), __file__
    frame = sys._getframe(1)
    while (frame.f_code.co_filename.startswith(skipped)
           or frame.f_code.co_name.startswith('<') and frame.f_back):
        frame = frame.f_back
    return f'{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}'


def _made_on_cpu(make):
    """`torch.tensor` builds in C++, unseen by the mode; here it moves what it built."""
    def made(data, *args, device=None, **kwargs):
        tensor = make(data, *args, **kwargs)
        return tensor if device is None else tensor.to(device)
    return made


@contextmanager
def pretended_device():
    """Inside, `CUDA` is the pretended device; yields the `Log`."""
    log = Log()
    patches = {name: _made_on_cpu(getattr(torch, name)) for name in ('tensor', 'as_tensor')}
    with mock.patch('torch.cuda._lazy_init', lambda: None), \
            mock.patch.multiple(torch, **patches), _PretendedDevice(log):
        yield log
