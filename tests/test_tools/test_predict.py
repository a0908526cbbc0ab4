"""tools/predict.py against mmseg's API and tools/test.py; again, interrupted, shared, refused.

The network is random (`make_checkpoint`).
"""
import json
import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from devkit import CLASSES, make_devkit, read_mask, write_annotation
from mmengine.config import Config
from mmseg.apis import MMSegInferencer, inference_model, init_model
from PIL import Image
from tiny_run import ROOT, contents, finish, free_port, load_script, make_checkpoint, one_thread

from mmseg_wss.errors import ConfigError, DataError, DiskFullError
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.models.converters import publish_strong
from mmseg_wss.registry import MODELS

SIZE = (36, 48)
CONFIG = """
_base_ = [{base!r}]
loading = [dict(type='LoadImageFromFile')]
packing = [dict(type='mmseg_wss.LoadWeakLabels'), *{priors},
           dict(type='mmseg_wss.PackWeakSegInputs')]
test_pipeline = [*loading, *packing]
tta_pipeline = [*loading, dict(type='TestTimeAug', transforms=[
    [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.75, 1.5)],
    *([transform] for transform in packing)])]
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root={root!r}, pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(
    data_preprocessor=dict(mean=[127.5] * {channels}, std=[127.5] * {channels}),
    backbone=dict(in_channels={channels}),
    decode_head=dict(num_classes=3, feature_head=dict(num_classes=3)))
"""
NAMES = 'a/1.jpg', 'b/1.PNG', 'b/Straße 2.bmp', 'drei.TIF', 'vier.JPEG'


class Setting:
    """Photographs, a config whose data set is not there, and the checkpoint of a training."""

    def __init__(self, folder, channels=3):
        self.folder, self.photos = folder, folder / 'photos'
        rng = np.random.default_rng(0)
        for name in NAMES:
            path = self.photos / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(path)
        self.config, self.checkpoint = folder / 'tiny.py', folder / 'iter_3.pth'
        self.config.write_text(CONFIG.format(
            base=str(ROOT / 'configs/quickstart/mixed_dual_shapes.py'),
            root=str(folder / 'no data'), channels=channels,
            priors=[dict(type='mmseg_wss.BoxPriors')] if channels == 5 else []))
        make_checkpoint(self.config, self.checkpoint, seed=1, dataset_meta=dict(
            classes=CLASSES, palette=voc_palette(3).tolist()))

    def arguments(self, out, *options, source=None, checkpoint=None):
        return [str(text) for text in (
            self.config, checkpoint or self.checkpoint, source or self.photos, '--out', out,
            '--work-dir', self.folder / 'work', *options)]


@pytest.fixture(scope='module')
def tool():
    with one_thread():
        yield load_script('tools/predict.py')


@pytest.fixture(scope='module')
def setting(tmp_path_factory):
    return Setting(tmp_path_factory.mktemp('setting'))


@pytest.fixture(scope='module')
def whole(tool, setting, tmp_path_factory):
    """The folder that one process writes in one go."""
    folder = tmp_path_factory.mktemp('whole') / 'out'
    assert predict(tool, setting.arguments(folder, '--soft')) == 0
    return folder


def predict(tool, arguments):
    return tool.run(tool.parse_args(arguments))


def masks_in(folder):
    return {path.relative_to(folder).with_suffix('').as_posix(): read_mask(path)
            for path in sorted(folder.rglob('*.png'))}


def same_masks(one, other):
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize('seen, warned', [(30, False), (80, False), (420, True), (None, False)])
def test_photographs_of_another_size_than_the_training(tool, setting, tmp_path, capsys, seen,
                                                       warned):
    """The square root of 36 times 48 is 41.6."""
    checkpoint = tmp_path / 'iter_3.pth'
    content = torch.load(setting.checkpoint)
    if seen is not None:
        content['meta']['seen_images'] = seen
    torch.save(content, checkpoint)
    source = setting.photos / 'a'
    assert predict(tool, setting.arguments(tmp_path / 'out', '--no-overlays', source=source,
                                           checkpoint=checkpoint)) == 0
    words = (f'warning: {source}: the network sees images of 42 pixels, but is trained with those '
             'of 420')
    assert (words in capsys.readouterr().out) == warned


# ---- what is written

def test_masks_and_confidences_are_those_of_mmsegs_own_api(setting, whole):
    model = init_model(str(setting.config), str(setting.checkpoint), device='cpu')
    masks = masks_in(whole / 'masks')
    assert sorted(masks) == ['a/1', 'b/1', 'b/Straße 2', 'drei', 'vier']
    for name in NAMES:
        sample = inference_model(model, str(setting.photos / name))
        stem = name.rpartition('.')[0]
        assert (masks[stem] == sample.pred_sem_seg.data[0].numpy()).all()
        soft = np.array(Image.open(whole / f'confidence/{stem}.png'), float) / 255
        probs = sample.seg_logits.data.softmax(0).numpy()
        np.testing.assert_allclose(soft, probs.max(0), atol=0.5001 / 255)
    assert len(np.unique(list(masks.values()))) == 3


def test_the_inferencer_predicts_the_same(setting, whole):
    inferencer = MMSegInferencer(str(setting.config), str(setting.checkpoint), device='cpu')
    found = inferencer([str(setting.photos / name) for name in NAMES])['predictions']
    masks = masks_in(whole / 'masks')
    assert all((mask == masks[name.rpartition('.')[0]]).all() for name, mask in zip(NAMES, found))


def test_overlays_have_the_image_and_a_legend(setting, whole):
    overlays = sorted((whole / 'overlays').rglob('*.jpg'))
    assert len(overlays) == 5
    picture = np.array(Image.open(whole / 'overlays/b/1.jpg'), float)
    assert picture.shape[0] > SIZE[0] and picture.shape[1] == SIZE[1]
    image = np.array(Image.open(setting.photos / 'b/1.PNG'), float)
    mask = read_mask(whole / 'masks/b/1.png')
    change = abs(picture[:SIZE[0]] - image).mean(2)  # of a JPEG of noise
    assert change[mask == 0].mean() < change[mask > 0].mean()


def test_a_list_for_vocs_server_and_a_coco_file(tool, setting, whole, tmp_path, capsys):
    coco = pytest.importorskip('pycocotools.coco')
    (tmp_path / 'test.txt').write_text('b/1\ndrei\n')
    predict(tool, setting.arguments(
        tmp_path / 'out', '--voc-results', '--no-overlays', '--coco', '--image-dir', setting.photos,
        source=tmp_path / 'test.txt'))
    assert '2 images predicted (2 of them written now), 0 unreadable' in capsys.readouterr().out
    results = masks_in(tmp_path / 'out/results/VOC2012/Segmentation/comp6_test_cls')
    expected = masks_in(whole / 'masks')
    assert same_masks(results, {name: expected[name] for name in ('b/1', 'drei')})
    assert len(list((tmp_path / 'out').rglob('*.*g'))) == 2
    read = coco.COCO(tmp_path / 'out/coco.json')
    assert [item['file_name'] for item in read.imgs.values()] == ['b/1.PNG', 'drei.TIF']
    assert {item['name'] for item in read.cats.values()} == set(CLASSES[1:])
    item, = (item for item in read.imgToAnns[1] if item['category_id'] == 2)
    assert (read.annToMask(item) == (expected['b/1'] == 2)).all()


def test_a_photograph_that_lies_on_its_side_is_turned(tool, setting, tmp_path):
    """As OpenCV, which training loads images with, turns it."""
    image = Image.open(setting.photos / 'vier.JPEG')
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / 'turned.jpg'
    image.save(path, exif=exif.tobytes())
    assert Image.open(path).size == SIZE[::-1] and cv2.imread(str(path)).shape[:2] == SIZE[::-1]
    predict(tool, setting.arguments(tmp_path / 'out', source=path))
    assert read_mask(tmp_path / 'out/masks/turned.png').shape == SIZE[::-1]
    assert Image.open(tmp_path / 'out/overlays/turned.jpg').width == SIZE[0]


@pytest.mark.parametrize('options', [['--soft'], ['--soft', '--tta', '--crf', 'deeplab']])
def test_masks_are_those_of_test_py(tool, setting, tmp_path, monkeypatch, options):
    kit = tmp_path / 'kit'
    for folder in 'JPEGImages/a', 'JPEGImages/b', 'ImageSets/Segmentation':
        (kit / folder).mkdir(parents=True)
    for name in 'a/1', 'b/1':  # the same base name
        shutil.copy(setting.photos / f'{name}.{"jpg" if name[0] == "a" else "PNG"}',
                    kit / f'JPEGImages/{name}.jpg')
    (kit / 'ImageSets/Segmentation/val.txt').write_text('a/1\nb/1\n')
    (kit / 'classes.txt').write_text('\n'.join(CLASSES))
    predict(tool, setting.arguments(tmp_path / 'out', '--workers', 1, *options,
                                    source=kit / 'JPEGImages'))
    monkeypatch.setattr(sys, 'argv', ['test.py', *map(str, (
        setting.config, setting.checkpoint, '--out', tmp_path / 'test', '--work-dir',
        tmp_path / 'work', *(option for option in options if option != '--soft'),
        *(['--crf-workers', 0] if '--crf' in options else []), '--cfg-options',
        f'test_dataloader.dataset.data_root={kit}', 'test_dataloader.dataset.supervision=none'))])
    load_script('tools/test.py').main()
    found = masks_in(tmp_path / 'out/masks')
    assert sorted(found) == ['a/1', 'b/1'] and same_masks(found, masks_in(tmp_path / 'test'))


def test_test_py_names_it_where_masks_are_missing(setting, tmp_path, monkeypatch):
    make_devkit(tmp_path / 'kit', size=SIZE)
    shutil.rmtree(tmp_path / 'kit/SegmentationClass')
    monkeypatch.setattr(sys, 'argv', ['test.py', *map(str, (
        setting.config, setting.checkpoint, '--out', tmp_path / 'test', '--work-dir',
        tmp_path / 'work', '--cfg-options', f'test_dataloader.dataset.data_root={tmp_path}/kit'))])
    with pytest.raises(SystemExit, match=r'v0\.png[^$]*To predict images without masks: '
                                         r'tools/predict\.py CONFIG CHECKPOINT FOLDER'):
        load_script('tools/test.py').main()


# ---- networks

def test_a_published_checkpoint_predicts_the_same(tool, setting, whole, tmp_path):
    publish_strong(Config.fromfile(setting.config), setting.checkpoint, tmp_path / 'published.pth')
    predict(tool, setting.arguments(tmp_path / 'out', checkpoint=tmp_path / 'published.pth'))
    assert same_masks(masks_in(tmp_path / 'out/masks'), masks_in(whole / 'masks'))


@pytest.mark.parametrize('wrapper', [{}, dict(type='mmseg_wss.EMHead')])
def test_a_head_of_mmseg_alone_and_wrapped(tool, setting, tmp_path, wrapper):
    config = Config.fromfile(setting.config)
    head = config.model.decode_head.feature_head
    config.model.decode_head = dict(wrapper, head=head) if wrapper else head
    config.dump(tmp_path / 'single.py')
    weights = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=weights, meta=dict(dataset_meta=dict(classes=CLASSES))),
               tmp_path / 'single.pth')
    photo = setting.photos / 'drei.TIF'
    assert predict(tool, [str(tmp_path / 'single.py'), *setting.arguments(
        tmp_path / 'out', source=photo, checkpoint=tmp_path / 'single.pth')[1:]]) == 0
    model = init_model(str(tmp_path / 'single.py'), str(tmp_path / 'single.pth'), device='cpu')
    expected = inference_model(model, str(photo)).pred_sem_seg.data[0].numpy()
    assert (read_mask(tmp_path / 'out/masks/drei.png') == expected).all()


def test_a_checkpoint_without_names_takes_those_of_the_data(tool, setting, tmp_path):
    weights = torch.load(setting.checkpoint, weights_only=True)['state_dict']
    torch.save(weights, tmp_path / 'bare.pth')
    arguments = setting.arguments(tmp_path / 'out', checkpoint=tmp_path / 'bare.pth',
                                  source=setting.photos / 'drei.TIF')
    with pytest.raises(ConfigError, match=r'21 names of classes .* has 3 classes. Set test'):
        predict(tool, arguments)
    (tmp_path / 'names.txt').write_text('\n'.join(CLASSES))
    predict(tool, [*arguments, '--cfg-options',
                   f'test_dataloader.dataset.metainfo.classes={tmp_path}/names.txt'])
    assert (tmp_path / 'out/masks/drei.png').is_file()


def test_a_network_that_takes_boxes(tool, tmp_path):
    setting = Setting(tmp_path / 'boxes', channels=5)
    with pytest.raises(ConfigError, match='--boxes DIR'):
        predict(tool, setting.arguments(tmp_path / 'out'))
    boxes = tmp_path / 'xml'
    for name in ('a', 'b'):
        (boxes / name).mkdir(parents=True)
    for name in NAMES[:-1]:
        write_annotation(boxes / Path(name).with_suffix('.xml'), 'green', (4, 5, 30, 20), SIZE)
    with pytest.raises(DataError, match=r'1 of 5 images have no boxes: .*vier\.xml'):
        predict(tool, setting.arguments(tmp_path / 'out', '--boxes', boxes))
    write_annotation(boxes / 'vier.xml', 'green', (4, 5, 30, 20), SIZE)
    predict(tool, setting.arguments(tmp_path / 'out', '--boxes', boxes))

    inferencer = MMSegInferencer(str(setting.config), str(setting.checkpoint), device='cpu')
    found = inferencer([dict(img_path=str(setting.photos / name),
                             ori_bboxes=np.array([[4, 5, 30, 20]], np.float32),
                             ori_bboxes_labels=np.array([2])) for name in NAMES])['predictions']
    masks = masks_in(tmp_path / 'out/masks')
    assert all((mask == masks[name.rpartition('.')[0]]).all() for name, mask in zip(NAMES, found))

    before = contents(tmp_path / 'out')
    write_annotation(boxes / 'vier.xml', 'red', (1, 1, 9, 9), SIZE)
    predict(tool, setting.arguments(tmp_path / 'out', '--boxes', boxes))
    after = contents(tmp_path / 'out')
    assert [name for name in after if after[name] != before[name]] == [
        'masks/vier.png', 'overlays/vier.jpg']


def test_boxes_of_a_network_that_takes_none(tool, setting, tmp_path):
    with pytest.raises(ConfigError, match='sees no boxes'):
        predict(tool, setting.arguments(tmp_path / 'out', '--boxes', tmp_path))


# ---- again, interrupted, shared

def test_a_second_run_computes_nothing(tool, setting, whole, capsys, monkeypatch):
    def runner(*args, **kwargs):
        raise AssertionError('a network was built')
    monkeypatch.setattr('mmseg_wss.engine.image_runner.QuietRunner', runner)
    before = contents(whole)
    predict(tool, setting.arguments(whole, '--soft'))
    assert '5 images predicted (nothing to do' in capsys.readouterr().out
    assert contents(whole) == before


def test_stopped_by_a_full_disk_and_continued(tool, setting, whole, tmp_path, full_disk, capsys):
    out = tmp_path / 'out'
    with full_disk(7):
        with pytest.raises(DiskFullError, match='Free space on this disk'):
            predict(tool, setting.arguments(out, '--soft', '--workers', 1))
    assert len(masks_in(out / 'masks')) == 2  # 7 files: two images and an overlay or confidence
    (out / 'overlays/.tmp-1-x.jpg').touch()  # as a killed run leaves it
    predict(tool, setting.arguments(out, '--soft'))
    assert '5 images predicted (3 of them written now)' in capsys.readouterr().out
    assert contents(out) == contents(whole)


def test_a_missing_overlay_is_made_again(tool, setting, whole, tmp_path, capsys):
    shutil.copytree(whole, tmp_path / 'out')
    os.remove(tmp_path / 'out/overlays/b/1.jpg')
    predict(tool, setting.arguments(tmp_path / 'out', '--soft'))
    assert '(1 of them written now)' in capsys.readouterr().out
    assert contents(tmp_path / 'out') == contents(whole)


def test_another_way_is_refused(tool, setting, whole, tmp_path):
    before = contents(whole)
    with pytest.raises(DataError, match=r'what differs: soft\. Use another --out'):
        predict(tool, setting.arguments(whole))
    with pytest.raises(DataError, match=r'what differs: config, tta\. '):
        predict(tool, setting.arguments(whole, '--soft', '--tta'))
    changed = torch.load(setting.checkpoint, weights_only=True)
    torch.save(dict(changed, more=1), tmp_path / 'other.pth')
    with pytest.raises(DataError, match=r'what differs: checkpoint\. '):
        predict(tool, setting.arguments(whole, '--soft', checkpoint=tmp_path / 'other.pth'))
    assert contents(whole) == before


def test_the_folder_of_predictions_may_lie_among_the_images(tool, setting, tmp_path, capsys):
    shutil.copytree(setting.photos / 'b', tmp_path / 'photos')
    for made in '2 of them written now', 'nothing to do':
        predict(tool, setting.arguments(tmp_path / 'photos/out', source=tmp_path / 'photos'))
        assert f'2 images predicted ({made}' in capsys.readouterr().out


def test_unreadable_images_are_named_and_the_others_predicted(tool, setting, tmp_path, capsys):
    shutil.copytree(setting.photos, tmp_path / 'photos')
    (tmp_path / 'photos/b/broken.jpg').write_bytes(b'\xff\xd8\xff')
    (tmp_path / 'photos/notes.txt').touch()
    assert predict(tool, setting.arguments(tmp_path / 'out', source=tmp_path / 'photos')) == 1
    said = capsys.readouterr().out
    assert 'broken.jpg: the image file is corrupt' in said and '1 unreadable' in said
    assert '1 files are no images and were passed over' in said and 'notes.txt' in said
    assert len(masks_in(tmp_path / 'out/masks')) == 5


def test_two_processes_write_what_one_does(setting, whole, tmp_path):
    printed = finish('bash', ROOT / 'tools/dist_predict.sh', setting.config, setting.checkpoint, 2,
                     *setting.arguments(tmp_path / 'out', '--soft')[2:], PORT=free_port())
    assert printed.count('5 images predicted (5 of them written now)') == 1
    assert contents(tmp_path / 'out') == contents(whole)


def test_a_mask_says_how_it_was_made(whole):
    record = json.loads(Image.open(whole / 'masks/drei.png').text['mmseg_wss'])
    assert record['recipe']['tool'] == 'predict' and record['recipe']['classes'] == list(CLASSES)
