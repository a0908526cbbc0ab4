"""An exported network predicts what the trained one does, in the hands of the docs' own program."""
import json
import re
import sys
from pathlib import Path

import mmcv
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules
from PIL import Image

from mmseg_wss.models.converters.export_network import export_torch
from mmseg_wss.registry import MODELS

ROOT = Path(__file__).parents[2]
MIXED_DUAL = ROOT / 'configs/quickstart/mixed_dual_shapes.py'
TOOL = 'model_converters/export_onnx.py'
SIZE = 45, 70  # no multiples of the 16 that the network needs

register_all_modules()


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """The model of the quick start, with weights that make clear predictions, and its file."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(MIXED_DUAL).model).eval()
    for name, tensor in model.state_dict().items():
        if 'conv_seg' in name:
            tensor.normal_() if tensor.dim() > 1 else tensor.zero_()
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        dataset_meta=dict(classes=tuple('abcde'), palette=[(0, 1, 2)] * 5))), 'trained.pth')
    return model


def photo():
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save('photo.png')
    return pixels


def predict(model, pixels):
    """What mmseg's own way gives for RGB pixels: labels and probabilities."""
    size = pixels.shape[:2]
    sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size))
    bgr = torch.from_numpy(pixels[..., ::-1].transpose(2, 0, 1).copy())
    with torch.no_grad():
        found = model.test_step(dict(inputs=[bgr], data_samples=[sample]))[0]
    return found.pred_sem_seg.data[0].numpy(), found.seg_logits.data.softmax(0).numpy()


@pytest.mark.parametrize('scale', [None, (48, 96)])
def test_the_program_of_the_docs_predicts_what_the_network_does(run_tool, trained, scale):
    pytest.importorskip('onnxruntime', reason='the export needs the extra [export]')
    pixels, steps = photo(), []
    if scale:
        pixels = mmcv.imrescale(pixels, scale)
        steps = [dict(type='Resize', scale=scale, keep_ratio=True)]
    Path('own.py').write_text(f'_base_ = {str(MIXED_DUAL)!r}\ntest_pipeline = {steps}\n')
    code, printed = run_tool(TOOL, 'own.py', 'trained.pth', 'network.onnx')
    assert code == 0, printed
    page = (ROOT / 'docs/deploy.md').read_text()
    program = re.search(r'<!-- example -->\n```python\n(.+?)```', page, re.S).group(1)
    assert len(program.splitlines()) <= 15
    found = {}
    exec(program.replace('photo.jpg', 'photo.png'), found)
    labels, probabilities = predict(trained, pixels)
    assert len(np.unique(labels)) > 1
    np.testing.assert_allclose(found['probabilities'], probabilities, atol=1e-4)
    assert (found['labels'] == labels).mean() > 0.999
    trained.decode_head.predict_branch = 'weak'
    assert (found['labels'] == predict(trained, pixels)[0]).mean() < 0.9


def test_the_file_itself_says_how_images_are_prepared(run_tool, trained):
    onnx = pytest.importorskip('onnx', reason='the export needs the extra [export]')
    Path('own.py').write_text(f"""
_base_ = {str(MIXED_DUAL)!r}
test_pipeline = [dict(type='Resize', scale=(320, 200), keep_ratio=True)]
model = dict(data_preprocessor=dict(mean=[1, 2, 3], bgr_to_rgb=False),
             test_cfg=dict(mode='slide', crop_size=(64, 48), stride=(32, 24)))
""")
    code, printed = run_tool(TOOL, 'own.py', 'trained.pth', 'network.onnx')
    assert code == 0 and 'windows' in printed, printed
    beside = json.loads(Path('network.onnx.json').read_text())
    content = onnx.load('network.onnx')
    assert {item.key: json.loads(item.value) for item in content.metadata_props} == beside
    assert beside['mean'] == [1, 2, 3] and beside['std'] == [127.5] * 3
    assert beside['channel_order'] == 'BGR' and beside['size_divisor'] == 16
    assert beside['resize'] == [dict(scale=[320, 200], keep_ratio=True)]
    assert beside['window'] == dict(size=[64, 48], stride=[32, 24])
    assert beside['classes'] == list('abcde') and beside['palette'] == [[0, 1, 2]] * 5
    assert not any('weak' in tensor.name for tensor in content.graph.initializer)


@pytest.mark.skipif(not hasattr(getattr(torch.export, 'Dim', None), 'DYNAMIC'),
                    reason="PyTorch's export takes any size from 2.6 on")
@pytest.mark.skipif(not hasattr(getattr(torch.export, 'Dim', None), 'DYNAMIC'),
                    reason="PyTorch's export takes any size from 2.6 on")
def test_an_exported_program_of_pytorch_takes_any_size(tmp_path):
    """Of a network that takes a few nodes alone: the exporter is slow."""
    class Halves(torch.nn.Module):
        def forward(self, image):
            small = torch.nn.functional.avg_pool2d(image, 2)
            scores = torch.nn.functional.interpolate(small, size=image.shape[2:])
            return scores.argmax(1), scores.softmax(1)

    out = tmp_path / 'network.pt2'
    assert export_torch(Halves().eval(), dict(size_divisor=2, mean=[0, 0, 0]), out) < 1e-6
    image = torch.randn(1, 3, 6, 34)
    labels, probabilities = torch.export.load(out).module()(image)
    torch.testing.assert_close((labels, probabilities), Halves()(image))
    assert json.loads(Path(f'{out}.json').read_text())['size_divisor'] == 2


def test_a_network_that_is_bound_to_a_size_is_refused(run_tool, trained, tmp_path):
    pytest.importorskip('onnxruntime', reason='the export needs the extra [export]')
    config = tmp_path / 'psp.py'
    config.write_text(f"_base_ = {str(MIXED_DUAL)!r}\nmodel = dict(decode_head=dict(_delete_=True, "
                      "type='PSPHead', in_channels=16, in_index=3, channels=8, num_classes=5, "
                      "pool_scales=(1, 3), norm_cfg=dict(type='BN'), "
                      "loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))\n")
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), 'psp.pth')
    code, printed = run_tool(TOOL, config, 'psp.pth', 'network.onnx')
    assert code == 1 and 'PSPHead' in printed
    assert not list(tmp_path.glob('*network*'))


def test_a_missing_library_is_named(run_tool, trained, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    code, printed = run_tool(TOOL, MIXED_DUAL, 'trained.pth', 'network.onnx')
    assert code == 1 and '[export]' in printed
    assert not list(tmp_path.glob('*network*'))


def test_a_checkpoint_of_another_network_is_refused(run_tool, trained):
    code, printed = run_tool(TOOL, MIXED_DUAL, 'trained.pth', 'network.onnx', '--cfg-options',
                             'model.decode_head.num_classes=7')
    assert code == 1 and 'trained.pth' in printed and 'conv_seg' in printed


@pytest.mark.parametrize('kernel, stride, dilation', [(3, 2, 1), (3, 2, 2), (5, 3, 1), (2, 2, 1)])
def test_padding_in_whole_numbers_is_that_of_timm(kernel, stride, dilation):
    layers = pytest.importorskip('timm.layers', reason='needs the extra [msrc]')
    from mmseg_wss.models.converters.inference_network import _SameConv
    conv = layers.Conv2dSame(2, 4, kernel, stride, dilation=dilation)
    for height, width in (7, 8), (9, 12), (10, 11):
        image = torch.randn(1, 2, height, width)
        assert torch.equal(_SameConv(conv)(image), conv(image))
