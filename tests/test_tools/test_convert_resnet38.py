"""The converter of ResNet38 against files written here, after the description of the format."""
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmseg.utils import register_all_modules

from mmseg_wss.errors import DataError
from mmseg_wss.models.backbones import ResNet38
from mmseg_wss.models.converters.mxnet_file import read_ndarrays
from mmseg_wss.models.converters.resnet38 import published_name
from mmseg_wss.registry import MODELS

V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
FLAGS = {'float32': 0, 'float64': 1, 'float16': 2, 'uint8': 3, 'int32': 4, 'int8': 5, 'int64': 6}


# ---- a writer of mxnet's format

def pack_array(array, version, storage=0):
    head = {0: b'', V1: struct.pack('<I', V1), V2: struct.pack('<Ii', V2, storage)}[version]
    size = 'q' if version else 'I'
    return (head + struct.pack(f'<I{array.ndim}{size}', array.ndim, *array.shape)
            + struct.pack('<iii', 1, 0, FLAGS[array.dtype.name]) + array.tobytes())


def pack(arrays, version=V2, names=None):
    names = list(arrays) if names is None else names
    content = struct.pack('<QQQ', 0x112, 0, len(arrays))
    content += b''.join(pack_array(array, version) for array in arrays.values())
    content += struct.pack('<Q', len(names))
    for name in names:
        content += struct.pack('<Q', len(name.encode())) + name.encode()
    return content


def mxnet_name(key):
    """Inverse of the published renaming, for a parameter or buffer of ResNet38."""
    tensor = key.split('.')[-1]
    kind = 'aux' if tensor.startswith('running') else 'arg'
    if 'conv' not in key:
        tensor = dict(weight='gamma', bias='beta', running_mean='moving_mean',
                      running_var='moving_var')[tensor]
    if key.count('.') == 1:
        return f'{kind}:{key.split(".")[0]}_{tensor}'
    unit, layer, _ = key.split('.')
    unit = re.sub('^b(.)$', r'\1a', unit)
    unit = re.sub('^b(.)_', r'\1b', unit)
    return f'{kind}:{layer.replace("conv_", f"res{unit}_").replace("bn_", f"bn{unit}_")}_{tensor}'


# ---- files

@pytest.fixture(scope='module')
def weights():
    """Tensors of a narrow ResNet38, all different."""
    generator = torch.Generator().manual_seed(0)
    return {key: torch.rand(tensor.shape, generator=generator)
            for key, tensor in ResNet38(base_channels=1).state_dict().items()
            if not key.endswith('num_batches_tracked')}


def mxnet_file(path, weights):
    arrays = {mxnet_name(key): tensor.numpy() for key, tensor in weights.items()}
    arrays['arg:linear1000_weight'] = np.ones((10, 64), np.float32)
    arrays['arg:linear1000_bias'] = np.ones(10, np.float32)
    path.write_bytes(pack(arrays))
    return path


@pytest.fixture
def convert(run_tool):
    def run(source, out, code=0):
        found, printed = run_tool('model_converters/resnet38.py', source, out)
        assert found == code
        return printed

    return run


def refused(convert, source, *parts):
    before = sorted(source.parent.rglob('*'))
    error = convert(source, source.parent / 'out' / 'resnet38.pth', code=1)
    assert sorted(source.parent.rglob('*')) == before
    for part in (str(source), *parts):
        assert part in error


# ---- conversion

def assert_loads(out, weights):
    checkpoint = torch.load(out, weights_only=True)
    assert set(checkpoint) == {'state_dict', 'meta'}
    model = MODELS.build(dict(
        type='mmseg_wss.ResNet38', base_channels=1,
        init_cfg=dict(type='Pretrained', checkpoint=str(out), prefix='backbone.')))
    model.init_weights()
    state = model.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in weights.items())


@pytest.mark.parametrize('precision', [torch.float, torch.double])
def test_every_tensor_of_an_mxnet_file_is_placed(convert, weights, tmp_path, precision):
    source = mxnet_file(tmp_path / 'ep-0001.params',
                        {key: tensor.to(precision) for key, tensor in weights.items()})
    out = tmp_path / 'new' / 'resnet38.pth'
    printed = convert(source, out)
    assert f'{len(weights)} tensors' in printed
    assert 'arg:linear1000_weight, arg:linear1000_bias' in printed
    assert_loads(out, weights)


@pytest.mark.parametrize('wrapped', [False, True])
def test_every_tensor_of_a_pytorch_file_is_placed(convert, weights, tmp_path, wrapped):
    model = ResNet38(base_channels=1)
    model.load_state_dict(weights, strict=False)
    state = dict(model.state_dict(), unknown=torch.ones(3))
    source = tmp_path / 'res38_cls.pth'
    torch.save(dict(state_dict=state) if wrapped else state, source)
    printed = convert(source, tmp_path / 'out.pth')
    assert 'of neither: unknown' in printed and 'num_batches_tracked' not in printed
    assert_loads(tmp_path / 'out.pth', weights)


def test_a_network_of_rrm_is_loaded_whole(convert, weights, tmp_path):
    """The classifier alone (res38_cls.pth), or also the segmentation branch."""
    register_all_modules()
    model = MODELS.build(dict(
        type='mmseg_wss.WeakEncoderDecoder',
        backbone=dict(type='mmseg_wss.ResNet38', base_channels=1),
        decode_head=dict(type='mmseg_wss.RRMHead', in_channels=64, in_index=0, channels=8,
                         num_classes=21)))
    generator = torch.Generator().manual_seed(1)
    shapes = {'fc8.weight': (20, 64, 1, 1),
              'fc8_seg_conv1.weight': (8, 64, 3, 3), 'fc8_seg_conv1.bias': (8, ),
              'fc8_seg_conv2.weight': (21, 8, 3, 3), 'fc8_seg_conv2.bias': (21, )}
    head = {key: torch.rand(shape, generator=generator) for key, shape in shapes.items()}
    for number in (1, 5):
        source = tmp_path / f'{number}.pth'
        torch.save({**weights, **dict(list(head.items())[:number])}, source)
        assert f"{number} of RRM's head" in convert(source, tmp_path / 'out.pth')
        state = torch.load(tmp_path / 'out.pth', weights_only=True)['state_dict']
        missing, unexpected = model.load_state_dict(state, strict=False)
        missing = [key for key in missing if not key.endswith('num_batches_tracked')]
        assert not unexpected and len(missing) == 5 - number
    x = torch.rand(2, 64, 9, 9, generator=generator)
    found = model.decode_head
    torch.testing.assert_close(found.activation_maps([x]), F.conv2d(x, head['fc8.weight']).relu())
    first = F.conv2d(x, head['fc8_seg_conv1.weight'], head['fc8_seg_conv1.bias'], 1, 12, 12).relu()
    torch.testing.assert_close(found([x]), F.conv2d(
        first, head['fc8_seg_conv2.weight'], head['fc8_seg_conv2.bias'], 1, 12, 12))


@pytest.mark.parametrize('name, published', [
    ('arg:conv1a_weight', 'conv1a.weight'), ('conv1a_weight', 'conv1a.weight'),
    ('arg:res2a_branch1_weight', 'b2.conv_branch1.weight'),
    ('arg:res4b5_branch2b1_weight', 'b4_5.conv_branch2b1.weight'),
    ('arg:bn6a_branch2b2_gamma', 'b6.bn_branch2b2.weight'),
    ('aux:bn3b1_branch2b1_moving_mean', 'b3_1.bn_branch2b1.running_mean'),
    ('aux:bn7_moving_var', 'bn7.running_var'),
    ('arg:linear1000_weight', 'arg:linear1000_weight')])
def test_names(name, published):
    assert published_name(name) == published


@pytest.mark.parametrize('key', ['conv1a.weight', 'b4_3.bn_branch2b1.running_var', 'bn7.bias'])
@pytest.mark.parametrize('suffix', ['.params', '.pth'])
def test_a_missing_tensor_is_an_error(convert, weights, tmp_path, key, suffix):
    lacking = {name: tensor for name, tensor in weights.items() if name != key}
    source = tmp_path / f'lacking{suffix}'
    mxnet_file(source, lacking) if suffix == '.params' else torch.save(lacking, source)
    refused(convert, source, key)


def test_a_tensor_of_another_shape_is_an_error(convert, weights, tmp_path):
    source = mxnet_file(tmp_path / 'x.params', dict(weights, **{'bn7.bias': torch.zeros(63)}))
    refused(convert, source, 'bn7.bias (63,) instead of (64,)')


def test_a_missing_file_is_an_error(convert, tmp_path):
    refused(convert, tmp_path / 'nowhere.params')


class Intruder:
    def __reduce__(self):
        return Path.touch, (Path('intruder'), )


@pytest.mark.parametrize('write', [
    lambda file: file.write_bytes(b''), lambda file: file.write_bytes(b'no checkpoint at all'),
    lambda file: torch.save([1, 2], file), lambda file: torch.save(dict(a=1), file),
    lambda file: torch.save(torch.ones(3), file), lambda file: torch.save(Intruder(), file),
    lambda file: file.write_bytes(pack(dict(a=np.ones(2))))
], ids=['empty', 'text', 'list', 'numbers', 'tensor', 'code', 'mxnet'])
def test_a_foreign_pytorch_file_is_an_error(convert, tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / 'foreign.pth')
    refused(convert, tmp_path / 'foreign.pth')


# ---- the reader

ARRAYS = {
    'arg:a': np.arange(6, dtype=np.float32).reshape(2, 3), 'b': np.array([-1, 2**40]),
    'aux:\u00fc': np.array([[[0.5]]], np.float16), 'd': np.array([255, 0], np.uint8),
    'e': np.array([-128], np.int8), 'f': np.array([-7], np.int32), 'g': np.array([1e300])}


@pytest.mark.parametrize('version', [0, V1, V2], ids=['first', 'V1', 'V2'])
def test_round_trip(tmp_path, version):
    (tmp_path / 'x.params').write_bytes(pack(ARRAYS, version))
    read = read_ndarrays(tmp_path / 'x.params')
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize('version', [0, V1, V2], ids=['first', 'V1', 'V2'])
def test_a_file_that_is_cut_anywhere_is_an_error(tmp_path, version):
    whole = pack(ARRAYS, version)
    for length in range(len(whole)):
        (tmp_path / 'cut.params').write_bytes(whole[:length])
        with pytest.raises(DataError, match=re.escape(str(tmp_path / 'cut.params'))):
            read_ndarrays(tmp_path / 'cut.params')


def one_array(head, data=b'\0' * 64):
    return struct.pack('<QQQ', 0x112, 0, 1) + head + data


@pytest.mark.parametrize('content, says', [
    (struct.pack('<Q', 0x113) + pack(ARRAYS)[8:], 'not an mxnet file'),
    (b'PK\3\4' + b'\0' * 64, 'not an mxnet file'),
    (pack(ARRAYS) + b'\0', '1 bytes follow'),
    (pack(ARRAYS, names=[]), '7 arrays and 0 names'),
    (pack(ARRAYS, names=['a'] * 7), '6 names come twice'),
    (one_array(pack_array(np.ones(2), V2, storage=1)), 'sparse'),
    (one_array(struct.pack('<I', V3)), 'another version'),
    (one_array(struct.pack('<I', 0)), '0x0 dimensions'),
    (one_array(struct.pack('<II', V1, 33)), '0x21 dimensions'),
    (one_array(struct.pack('<IIq', V1, 1, -1)), r'shape \(-1,\)'),
    (one_array(struct.pack('<IIqiii', V1, 1, 1, 1, 0, 9)), 'unknown type 9'),
    (one_array(struct.pack('<II4qiii', V1, 4, *[2**62] * 4, 1, 0, 0)), f'{4 * 2**248} bytes'),
    (struct.pack('<QQQ', 0x112, 0, 2**63), 'are left'),
    (pack(dict(a=np.ones(1)))[:-1] + b'\xff', 'not text')
], ids=lambda value: re.sub('[^a-z0-9 ]', '', value)[:20] if isinstance(value, str) else '')
def test_a_damaged_or_foreign_file_is_an_error(tmp_path, content, says):
    (tmp_path / 'x.params').write_bytes(content)
    with pytest.raises(DataError, match=says) as error:
        read_ndarrays(tmp_path / 'x.params')
    assert str(tmp_path / 'x.params') in str(error.value)


def test_the_writer_here_follows_the_layout():
    """One array by hand, byte for byte."""
    assert pack(dict(w=np.array([[1., 2.]], np.float32))) == bytes.fromhex(
        '1201000000000000' '0000000000000000' '0100000000000000'  # magic, reserved, 1 array
        'c9fa93f9' '00000000' '02000000' '0100000000000000' '0200000000000000'  # V2, dense, shape
        '01000000' '00000000' '00000000' '0000803f' '00000040'  # CPU 0, float32, data
        '0100000000000000' '0100000000000000' '77')  # 1 name, of 1 letter
