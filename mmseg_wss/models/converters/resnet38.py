"""Published weights of ResNet38 and RRM as a checkpoint of a network of ours."""
import os.path as osp
import re

import torch

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.models.backbones import ResNet38
from mmseg_wss.models.converters.mxnet_file import read_ndarrays
from mmseg_wss.utils.checkpoint_file import load_from_local
from mmseg_wss.utils.fileio import atomic_path

MXNET_UNIT = re.compile(
    r'(?P<layer>res|bn)(?P<stage>[2-7])(?:a|b(?P<unit>\d+))_(?P<branch>branch(?:1|2a|2b1|2b2))'
    r'_(?P<tensor>\w+)')
MXNET_SINGLE = re.compile(r'(?P<layer>conv1a|bn7)_(?P<tensor>\w+)')
TENSORS = dict(weight='weight', gamma='weight', beta='bias', moving_mean='running_mean',
               moving_var='running_var')
RRM_HEAD = {
    'fc8.weight': 'classifier.weight',
    'fc8_seg_conv1.weight': 'hidden.conv.weight', 'fc8_seg_conv1.bias': 'hidden.conv.bias',
    'fc8_seg_conv2.weight': 'conv_seg.weight', 'fc8_seg_conv2.bias': 'conv_seg.bias',
}


def published_name(mxnet_name):
    """Name in the published PyTorch weights of a tensor of the mxnet file.

    ``arg:res3b1_branch2a_weight`` is ``b3_1.conv_branch2a.weight``,
    ``aux:bn2a_branch2a_moving_var`` is ``b2.bn_branch2a.running_var``; conv1a and bn7 keep their
    names. Names of other layers (``linear1000_weight``) are returned unchanged.
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


def read_weights(path):
    """Tensors of a published file, by their names in the published PyTorch weights.

    Raises:
        DataError: the file is neither an mxnet nor a PyTorch file of tensors, or is damaged.
    """
    if osp.splitext(path)[1] == '.params':
        return {published_name(name): torch.from_numpy(array.copy())
                for name, array in read_ndarrays(path).items()}
    try:
        weights = load_from_local(path, map_location='cpu')
        weights = weights.get('state_dict', weights)
        if not all(isinstance(tensor, torch.Tensor) for tensor in weights.values()):
            raise TypeError('some of its values are not tensors')
    except (AttributeError, TypeError) as error:
        raise DataError(f'{path} is not a PyTorch file of named tensors: {error!r}.') from error
    except DataError as error:
        raise DataError(f'{error} Name mxnet files *.params.') from error
    return weights


def convert_resnet38(source, out):
    """Write the checkpoint of a network with ``mmseg_wss.ResNet38``, for ``load_from``.

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
                        f'missing, {abridged(missing, 4)}.')
    unfit = [f'{key} {tuple(weights[key].shape)} instead of {tuple(shape)}'
             for key, shape in wanted.items() if weights[key].shape != shape]
    if unfit:
        raise DataError(f'{source} is not a ResNet38: {len(unfit)} tensors are of another shape, '
                        f'{abridged(unfit, 4)}.')
    names = {key: f'backbone.{key}' for key in wanted}
    names.update({key: f'decode_head.{name}' for key, name in RRM_HEAD.items() if key in weights})
    state = {name: weights[key].float() for key, name in names.items()}
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=state, meta=dict(source=osp.basename(source))), temporary)
    # only newer weights count the batches of batch norm, and ResNet38 does not use these counts
    return list(names), [key for key in weights
                         if key not in names and not key.endswith('num_batches_tracked')]


def _shapes_of_resnet38(weights, source):
    first = weights.get('conv1a.weight')
    if first is None or first.dim() != 4:
        raise DataError(f'{source} is not a ResNet38: it has no filters conv1a.weight; it has '
                        f'{abridged(list(weights), 4)}.')
    backbone = ResNet38(in_channels=first.shape[1], base_channels=first.shape[0])
    return {key: tensor.shape for key, tensor in backbone.state_dict().items()
            if not key.endswith('num_batches_tracked')}
