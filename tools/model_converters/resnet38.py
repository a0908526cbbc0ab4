"""Convert published weights of ResNet38 to a checkpoint of a network with ``mmseg_wss.ResNet38``.

    python tools/model_converters/resnet38.py IN OUT

IN is an mxnet file (``*.params``: the ImageNet weights ilsvrc-cls_rna-a1_cls1000_ep-0001.params of
the authors of the network; mxnet is not needed) or a PyTorch file (anything else: res38_cls.pth of
RRM, for example). Layers of RRM become those of an `RRMHead`; others, the classifier of ImageNet
that is, are left out and listed. OUT is for ``load_from='OUT'``, or for the backbone alone:

    backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='OUT', prefix='backbone.'))
"""
import argparse
import math
import os
import os.path as osp
import pickle
import re
import struct

import numpy as np
import torch

from mmseg_wss.errors import DataError
from mmseg_wss.models.backbones import ResNet38
from mmseg_wss.utils.fileio import atomic_path

# ---- mxnet's file of named arrays
# All little-endian: uint64 0x112, uint64 0, uint64 number of arrays, the arrays, uint64 number of
# names, and of each name uint64 length and the text. An array is its shape, int32 device type and
# int32 device number, int32 type, data in C order. Its shape was first uint32 length and uint32
# sizes; then the word V1 and uint32 length, int64 sizes; then V2, int32 storage type (0: dense) and
# the same.
LIST_MAGIC = 0x112
V1, V2 = 0xF993FAC8, 0xF993FAC9
DTYPES = {0: '<f4', 1: '<f8', 2: '<f2', 3: 'u1', 4: '<i4', 5: 'i1', 6: '<i8'}
MAX_NDIM = 32


class _BoundedFile:
    """Reads a binary file without ever asking for more than is left of it."""

    def __init__(self, file):
        self.name = file.name
        self.left = os.fstat(file.fileno()).st_size
        self._file = file

    def read(self, size, what):
        if size > self.left:
            raise DataError(f'{self.name}: {what} should take {size} bytes, and {self.left} are '
                            'left. The file is truncated or damaged: get it again.')
        self.left -= size
        return self._file.read(size)

    def numbers(self, layout, what):
        return struct.unpack(f'<{layout}', self.read(struct.calcsize(f'<{layout}'), what))

    def number(self, layout, what):
        return self.numbers(layout, what)[0]


def read_ndarrays(path):
    """Read an mxnet file of named dense arrays.

    Args:
        path (str): the file, as ``mxnet.nd.save`` writes it.

    Returns:
        dict[str, ndarray]: the arrays (read-only) by name, in the order of the file.

    Raises:
        DataError: not such a file, truncated, or with sparse, empty or unnamed arrays.
    """
    with open(path, 'rb') as raw:
        file = _BoundedFile(raw)
        if file.left < 8 or file.number('Q', 'the magic number') != LIST_MAGIC:
            raise DataError(f'{path} is not an mxnet file of arrays: it does not start with '
                            f'{LIST_MAGIC:#x}. Name PyTorch files other than *.params.')
        _, count = file.numbers('QQ', 'the header')
        arrays = []
        while len(arrays) < count:  # no list of `count` is made before the bytes are seen to exist
            arrays.append(_read_ndarray(file, f'array {len(arrays) + 1} of {count}'))
        named = file.number('Q', 'the number of names')
        if named != count:
            raise DataError(f'{path} has {count} arrays and {named} names: expected a name for '
                            'each, as in the checkpoint of a network.')
        names = [_read_name(file, f'name {i + 1} of {count}') for i in range(count)]
    if file.left or len(set(names)) < count:
        raise DataError(f'{path} is damaged: {file.left} bytes follow the last name, and '
                        f'{count - len(set(names))} names come twice. Get it again.')
    return dict(zip(names, arrays))


def _read_name(file, what):
    text = file.read(file.number('Q', what), what)
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f'{file.name}: {what} is not text: {error}') from error


def _read_ndarray(file, what):
    shape = _read_shape(file, what)
    _device, _number, flag = file.numbers('iii', what)
    if flag not in DTYPES:
        raise DataError(f'{file.name}: {what} has the unknown type {flag}; expected one of '
                        f'{sorted(DTYPES)}. The file is damaged, or of a newer mxnet.')
    dtype = np.dtype(DTYPES[flag])
    data = file.read(math.prod(shape) * dtype.itemsize, f'{what}, of shape {shape},')
    return np.frombuffer(data, dtype).reshape(shape)


def _read_shape(file, what):
    ndim, layout = file.number('I', what), 'I'
    if ndim in (V1, V2):
        storage = file.number('i', what) if ndim == V2 else 0
        if storage:
            raise DataError(f'{file.name}: {what} is sparse (storage type {storage}); expected '
                            'dense weights.')
        ndim, layout = file.number('I', what), 'q'
    if not 0 < ndim <= MAX_NDIM:
        raise DataError(f'{file.name}: {what} has {ndim:#x} dimensions; expected 1 to {MAX_NDIM}. '
                        'The file is damaged, or of another version of mxnet.')
    shape = file.numbers(f'{ndim}{layout}', what)
    if min(shape) < 1:
        raise DataError(f'{file.name}: {what} has shape {shape}; expected sizes of 1 or more.')
    return shape


# ---- names

MXNET_UNIT = re.compile(
    r'(?P<layer>res|bn)(?P<stage>[2-7])(?:a|b(?P<unit>\d+))_(?P<branch>branch(?:1|2a|2b1|2b2))'
    r'_(?P<tensor>\w+)')
MXNET_SINGLE = re.compile(r'(?P<layer>conv1a|bn7)_(?P<tensor>\w+)')
TENSORS = dict(weight='weight', gamma='weight', beta='bias', moving_mean='running_mean',
               moving_var='running_var')


def published_name(mxnet_name):
    """Name in the published PyTorch weights of a tensor of the mxnet file.

    ``arg:res3b1_branch2a_weight`` is ``b3_1.conv_branch2a.weight``,
    ``aux:bn2a_branch2a_moving_var`` is ``b2.bn_branch2a.running_var``; conv1a and bn7 keep their
    names. What is of no layer of the backbone (``linear1000_weight``) is returned as it is.
    """
    name = re.sub('^(arg|aux):', '', mxnet_name)
    match = MXNET_UNIT.fullmatch(name) or MXNET_SINGLE.fullmatch(name)
    if not match or match['tensor'] not in TENSORS:
        return mxnet_name
    tensor = TENSORS[match['tensor']]
    if match.re is MXNET_SINGLE:
        return f'{match["layer"]}.{tensor}'
    unit = f'b{match["stage"]}' + (f'_{match["unit"]}' if match['unit'] else '')
    layer = 'conv' if match['layer'] == 'res' else 'bn'
    return f'{unit}.{layer}_{match["branch"]}.{tensor}'


# ---- conversion

RRM_HEAD = {
    'fc8.weight': 'classifier.weight',
    'fc8_seg_conv1.weight': 'hidden.conv.weight', 'fc8_seg_conv1.bias': 'hidden.conv.bias',
    'fc8_seg_conv2.weight': 'conv_seg.weight', 'fc8_seg_conv2.bias': 'conv_seg.bias',
}


def read_weights(path):
    """Tensors of a published file, by their names in the published PyTorch weights.

    Raises:
        DataError: the file is neither an mxnet nor a PyTorch file of tensors, or is damaged.
    """
    if osp.splitext(path)[1] == '.params':
        return {published_name(name): torch.from_numpy(array.copy())
                for name, array in read_ndarrays(path).items()}
    try:
        weights = torch.load(path, map_location='cpu', weights_only=True)
        weights = weights.get('state_dict', weights)
        if not all(isinstance(tensor, torch.Tensor) for tensor in weights.values()):
            raise TypeError('some of its values are not tensors')
    except (AttributeError, EOFError, LookupError, RuntimeError, TypeError, ValueError,
            pickle.UnpicklingError) as error:
        raise DataError(f'{path} is not a PyTorch file of named tensors, or is damaged: {error!r}. '
                        'Name mxnet files *.params.') from error
    return weights


def convert(source, out):
    """Write the checkpoint.

    Args:
        source (str): file with the published weights.
        out (str): file to write, with the keys state_dict (float32) and meta.

    Returns:
        tuple[list[str], list[str]]: published names of the tensors that were kept, and of those
        that were left out.

    Raises:
        DataError: the source is unreadable, or lacks tensors of ResNet38; nothing is written.
    """
    weights = read_weights(source)
    wanted = _shapes_of_resnet38(weights, source)
    missing = [key for key in wanted if key not in weights]
    if missing:
        raise DataError(f'{source} is not a ResNet38: {len(missing)} of {len(wanted)} tensors are '
                        f'missing, {_some(missing)}.')
    unfit = [f'{key} {tuple(weights[key].shape)} instead of {tuple(shape)}'
             for key, shape in wanted.items() if weights[key].shape != shape]
    if unfit:
        raise DataError(f'{source} is not a ResNet38: {len(unfit)} tensors are of another shape, '
                        f'{_some(unfit)}.')
    names = {key: f'backbone.{key}' for key in wanted}
    names.update({key: f'decode_head.{name}' for key, name in RRM_HEAD.items() if key in weights})
    state = {name: weights[key].float() for key, name in names.items()}
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=state, meta=dict(source=osp.basename(source))), temporary)
    # older weights have no such counts, newer ones do; batch norm that is never updated needs none
    return list(names), [key for key in weights
                         if key not in names and not key.endswith('num_batches_tracked')]


def _shapes_of_resnet38(weights, source):
    first = weights.get('conv1a.weight')
    if first is None or first.dim() != 4:
        raise DataError(f'{source} is not a ResNet38: it has no filters conv1a.weight; it has '
                        f'{_some(list(weights))}.')
    backbone = ResNet38(in_channels=first.shape[1], base_channels=first.shape[0])
    return {key: tensor.shape for key, tensor in backbone.state_dict().items()
            if not key.endswith('num_batches_tracked')}


def _some(names, number=4):
    return ', '.join(names[:number]) + (', ...' if len(names) > number else '')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('source', metavar='IN', help='published weights: *.params or PyTorch')
    parser.add_argument('out', metavar='OUT', help='checkpoint to write')
    args = parser.parse_args()
    if not osp.isfile(args.source):
        raise SystemExit(f'{args.source}: there is no such file.')
    try:
        kept, left_out = convert(args.source, args.out)
    except DataError as error:
        raise SystemExit(str(error)) from error
    head = [key for key in kept if key in RRM_HEAD]
    print(f"{args.out}: {len(kept) - len(head)} tensors of ResNet38 and {len(head)} of RRM's head, "
          f'from {args.source}.')
    if left_out:
        print(f'Left out, of neither: {_some(left_out, len(left_out))}')


if __name__ == '__main__':
    main()
