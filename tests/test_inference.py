"""mmseg's own API on the configs: init_model, inference_model, MMSegInferencer; no data on disk."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmcv import imrescale
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmseg.apis import MMSegInferencer, inference_model, init_model
from PIL import Image
from tiny_run import ROOT, environment

from mmseg_wss.errors import DataError
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.models.converters import publish_strong

CONFIGS = sorted(path for folder in ('msrc', 'quickstart')
                 for path in (ROOT / 'configs' / folder).glob('*.py'))
SIZE = (48, 64)  # no padding
WITH_BOXES = 'ann_net_efflite0_msrc', 'ann_net_15_efflite0_msrc'


def heads_of(path):
    """Types of a config's decode head and of what it is wrapped around."""
    head, types = Config.fromfile(path).model.decode_head, []
    while head is not None:
        types.append(head.type)
        head = head.get('head') or head.get('feature_head')
    return tuple(types)


ONE_OF_EACH = sorted({heads_of(path): path for path in CONFIGS
                      if path.stem not in WITH_BOXES}.values())


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, and no data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MSRC_ROOT', str(tmp_path / 'no data'))
    init_default_scope('mmseg')
    yield
    assert not Path('data').exists()


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)  # BGR


def seen(path, seed=0):
    """A picture as the network of a config sees it: of MSRC at the size of the training."""
    image = picture(seed)
    return imrescale(image, (320, 320)) if path.parent.name == 'msrc' else image


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for i in range(3):
        Image.fromarray(picture(i)[..., ::-1]).save(folder / f'{i} ü.png')
    return folder


def training_checkpoint(config, path='iter_1.pth'):
    """The file of a training that learned nothing yet, with the names of its classes."""
    torch.manual_seed(0)
    model = init_model(str(config), device='cpu')
    with torch.no_grad():  # so that several classes are predicted
        for name, weight in model.decode_head.named_parameters():
            if weight.dim() > 1 and ('conv_seg' in name or 'classifier' in name):
                weight.mul_(30)
    number = model.decode_head.num_classes
    meta = dict(dataset_meta=dict(classes=[f'class {k}' for k in range(number)],
                                  palette=voc_palette(number).tolist()))
    torch.save(dict(state_dict=model.state_dict(), meta=meta, message_hub={}), path)
    return str(path)


def labels(sample):
    return sample.pred_sem_seg.data[0].numpy()


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_pipelines_of_every_config_take_an_image_alone(path, files):
    cfg = Config.fromfile(path)
    for steps in cfg.test_pipeline, cfg.test_dataloader.dataset.pipeline:
        pipeline = Compose(steps)
        if path.stem in WITH_BOXES:
            with pytest.raises(ValueError, match=r'0 ü\.png: .*tools/predict\.py --boxes'):
                pipeline(dict(img_path=str(files / '0 ü.png')))
            continue
        packed = pipeline(dict(img_path=str(files / '0 ü.png')))
        assert (packed['inputs'].numpy() == seen(path).transpose(2, 0, 1)).all()
        assert packed['data_samples'].ori_shape == SIZE and not packed['data_samples'].keys()


@pytest.mark.parametrize('path', ONE_OF_EACH, ids=lambda path: path.stem)
def test_every_head_predicts_files_and_arrays_alike(path, files):
    model = init_model(str(path), training_checkpoint(path), device='cpu')
    paths = [str(files / f'{i} ü.png') for i in range(2)]
    from_files = [labels(sample) for sample in inference_model(model, paths)]
    from_arrays = inference_model(model, [picture(0), picture(1)])  # mmseg: arrays from here on
    for number, (found, sample) in enumerate(zip(from_files, from_arrays)):
        with torch.no_grad():
            data = dict(inputs=[torch.from_numpy(seen(path, number).transpose(2, 0, 1))])
            logits = model.predict(model.data_preprocessor(data)['inputs'])[0].seg_logits.data
            height, width = seen(path, number).shape[:2]
            logits = logits[:, :height, :width]  # without the padding of a vision transformer
            logits = F.interpolate(logits[None], SIZE, mode='bilinear',
                                   align_corners=model.align_corners)[0]
        assert found.shape == SIZE
        assert (found == logits.argmax(0).numpy()).all() and (found == labels(sample)).all()
    assert len(model.dataset_meta['classes']) == model.decode_head.num_classes


@pytest.fixture
def quick(tmp_path):
    """The quick start's config, and the checkpoints of its training and of what is published."""
    path = ROOT / 'configs/quickstart/mixed_dual_shapes.py'
    checkpoint = training_checkpoint(path)
    publish_strong(Config.fromfile(path), checkpoint, 'published.pth')
    return str(path), checkpoint, 'published.pth'


def test_the_inferencer_takes_an_image_a_list_a_folder_and_an_array(quick, files):
    config, checkpoint, published = quick
    paths = [str(files / f'{i} ü.png') for i in range(3)]
    model = init_model(config, checkpoint, device='cpu')
    expected = [labels(sample) for sample in inference_model(model, paths)]
    assert len(np.unique(expected)) > 1
    for weights in checkpoint, published:
        inferencer = MMSegInferencer(config, weights, device='cpu')
        for inputs, wanted in ((paths[0], expected[:1]), (paths, expected),
                               (picture(1), expected[1:2])):
            found = inferencer(inputs, out_dir='out')['predictions']
            assert (np.array(found).reshape(-1, *SIZE) == wanted).all()
        found = inferencer(str(files))['predictions']
        assert {mask.tobytes() for mask in found} == {
            mask.astype(found[0].dtype).tobytes() for mask in expected}


def test_the_inferencer_draws_in_the_colours_of_the_checkpoint(quick, files):
    config, checkpoint, published = quick
    for weights in checkpoint, published:
        inferencer = MMSegInferencer(config, weights, device='cpu')
        result = inferencer(str(files / '0 ü.png'), return_vis=True, opacity=1., with_labels=False)
        assert (result['visualization'] == voc_palette()[result['predictions']]).all()
        inferencer(str(files / '0 ü.png'), out_dir='out')  # with names
        assert Path('out/vis/0 ü.png').is_file()


def test_a_network_that_takes_boxes_gets_them_in_a_dict(files):
    """More boxes, another prediction: the network sees them."""
    path = ROOT / f'configs/msrc/{WITH_BOXES[0]}.py'
    inferencer = MMSegInferencer(str(path), training_checkpoint(path), device='cpu')
    inputs = [dict(img_path=str(files / '0 ü.png'), ori_bboxes=np.array(boxes, np.float32),
                   ori_bboxes_labels=np.arange(1, 1 + len(boxes)))
              for boxes in ([[4, 5, 20, 30]], [[4, 5, 20, 30], [22, 3, 47, 40]])]
    channels = [inferencer.pipeline(dict(item))['inputs'] for item in inputs]
    assert all(len(inputs) == 5 for inputs in channels)
    assert channels[0][4].unique().tolist() == [0, 1]
    assert channels[1][4].unique().tolist() == [0, 1, 2]
    assert (channels[1][4, 15:200, 110:235] == 2).all()
    assert len(inferencer(inputs)['predictions']) == 2


ATTACK = """
import sys
from mmseg.apis import MMSegInferencer
MMSegInferencer(sys.argv[1], 'evil.pth', device='cpu')
"""


def test_the_inferencer_runs_no_code_of_a_checkpoint(quick):
    """It loads the file before it builds the model, in a process that imported nothing of ours."""
    class Evil:
        def __reduce__(self):
            return os.system, ('touch executed', )

    torch.save(dict(state_dict={}, meta=dict(evil=Evil())), 'evil.pth')
    process = subprocess.run([sys.executable, '-c', ATTACK, quick[0]], text=True,
                             capture_output=True, env=environment())
    assert process.returncode and f'{DataError.__name__}: evil.pth' in process.stderr
    assert 'posix.system' in process.stderr and not Path('executed').exists()
