"""The readers of the project: valid files for each, how they are read, and what they may say.

Nothing is imported for a reader before its `make` is called, so a process has what its own needs.
"""
import io
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable

import numpy as np

SHAPE = 24, 32  # of all pictures, (H, W)
CLASSES = ['background', 'cat', 'dog', 'bird']


class Refused(Exception):
    """For readers that return what is wrong as a list of sentences."""


@dataclass
class Reader:
    """A reader.

    samples (list[bytes]): valid files.
    read (Callable): path -> content, in values that `plain` can compare.
    errors (tuple): what it says it raises.
    legal (Callable): content -> bool, whether it is one that the rest of the program may get.
    exact (tuple): numbers of the samples whose format has a checksum of everything that is read; a
        damaged one is refused or says the same.
    name (str): of the file; messages have to have it.
    """
    samples: list
    read: Callable
    errors: tuple
    legal: Callable = lambda content: True
    exact: tuple = ()
    name: str = 'sample 7.bin'


def plain(value):
    """A value as text that is equal for equal contents."""
    if isinstance(value, np.ndarray):
        return f'{value.dtype}{value.shape}{value.tobytes().hex()}'
    if isinstance(value, dict):
        return str([(plain(key), plain(item)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return str([plain(item) for item in value])
    return repr(value)


def _unless_faulty(content, faults):
    if faults:
        raise Refused('\n'.join(faults))
    return content


# ---- pictures

def _pixels():
    rows, columns = np.mgrid[:SHAPE[0], :SHAPE[1]]
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:14, 5:20], mask[10:20, 15:30], mask[:2] = 1, 2, 255
    noise = np.random.default_rng(0).integers(0, 40, (*SHAPE, 3))
    colours = np.stack([rows * 8, columns * 6, (rows + columns) * 3], -1) + noise
    return colours.astype(np.uint8), mask


def _saved(array, kind, mode=None, **options):
    from PIL import Image
    picture, content = Image.fromarray(array), io.BytesIO()
    (picture.convert(mode) if mode else picture).save(content, kind, **options)
    return content.getvalue()


def _image_samples():
    colours, _ = _pixels()
    return [_saved(colours, 'JPEG'), _saved(colours, 'PNG'), _saved(colours, 'PNG', 'P'),
            _saved(colours[..., 0].astype(np.uint16) * 256, 'PNG'),
            _saved(colours, 'JPEG', progressive=True), _saved(colours, 'JPEG', 'L'),
            _saved(colours, 'BMP'), _saved(colours, 'TIFF'), _saved(colours, 'WEBP'),
            _saved(colours, 'PPM'), _saved(colours, 'TIFF', compression='tiff_lzw'),
            _saved(colours, 'GIF')]


def _is_image(image):
    return image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size > 0


def images():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.image_file import read_image
    samples = _image_samples()[:-1]  # OpenCV 4 reads no GIF
    return Reader(samples, read_image, (DataError, ), _is_image, (1, 2, 3))


def image_headers():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.image_file import check_image_file, read_image_shape

    def read(path):
        check_image_file(path)
        check_image_file(path, whole=True, opencv=False)
        return read_image_shape(path)
    return Reader(_image_samples()[:-1], read, (DataError, ),
                  lambda shape: len(shape) == 2 and min(shape) > 0)


def _mask_samples():
    _, mask = _pixels()
    record = dict(recipe=dict(tool='generate_proposals', method='grabcut', options=dict(a=1)),
                  inputs='9a31')
    from mmseg_wss.labels.formats.mask_file import write_mask
    with TemporaryDirectory() as folder:
        path = Path(folder, 'mask.png')
        write_mask(path, mask, record)
        ours = path.read_bytes()
    return [ours, _saved(mask, 'PNG'), _saved(mask, 'PNG', 'P'),
            _saved(mask.astype(np.uint16), 'PNG'), _saved(mask > 0, 'PNG', '1')]


def masks():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.mask_file import read_mask
    return Reader(_mask_samples(), read_mask, (DataError, ),
                  lambda mask: mask.dtype.kind in 'bui' and mask.size > 0, tuple(range(5)))


def other_masks():
    """Of formats without checksums, each number is a legal one."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.mask_file import read_mask
    _, mask = _pixels()
    return Reader([_saved(mask, 'BMP'), _saved(mask, 'TIFF'), _saved(mask, 'PPM')], read_mask,
                  (DataError, ), lambda mask: mask.dtype.kind in 'bui' and mask.size > 0)


def mask_records():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.mask_file import read_record

    def is_record(record):
        return record is None or isinstance(record['recipe'], dict)
    return Reader(_mask_samples()[:2], read_record, (DataError, ), is_record, (0, 1))


def _label(read, info, path):
    from mmseg_wss.labels.readers import Label
    label = Label()
    read(label, info, CLASSES, SHAPE, None)
    return label.checked_fields()


def _is_label(fields):
    mask = fields.get('gt_seg_map', np.zeros(SHAPE, np.uint8))
    boxes = fields.get('ori_bboxes', np.zeros((0, 4), np.float32))
    return bool(
        mask.dtype == np.uint8 and mask.shape == SHAPE
        and ((mask < len(CLASSES)) | (mask == 255)).all() and (boxes >= 0).all()
        and (boxes[:, 2:] <= SHAPE[::-1]).all() and (boxes[:, 2:] > boxes[:, :2]).all())


def whole_masks():
    """As a training gets them: size and labels are compared with those of the data set."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.readers import read_whole_mask
    return Reader(_mask_samples()[:4], lambda path: _label(
        lambda *args: read_whole_mask('seg_map_path', *args), dict(seg_map_path=path), path),
        (DataError, ), _is_label, tuple(range(4)))


def partial_masks():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.readers import read_partial_mask
    mask = np.full(SHAPE, 255, np.uint8)
    mask[5, 5:9], mask[15, 3:20] = 1, 2
    return Reader([_saved(mask, 'PNG')], lambda path: _label(
        read_partial_mask, dict(partial_mask_path=path, img_path=path), path), (DataError, ),
        _is_label, (0, ))


# ---- texts

def _xml_samples():
    from mmseg_wss.labels.formats.voc_xml import voc_xml
    text = voc_xml('é.jpg', SHAPE, ['cat', 'dog'], [(1, 2, 20, 21), (0, 0, 32, 24)])
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    attack = ('<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
              ']><annotation><object><name>&c;</name></object></annotation>')
    return [text.encode(), (head + text).encode(), attack.encode()]


def voc_xml():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.voc_xml import read_voc_objects

    def is_list(objects):
        names, boxes = objects
        return all(isinstance(name, str) for name in names) and (
            boxes.dtype == np.float32 and boxes.shape == (len(names), 4))
    return Reader(_xml_samples(), read_voc_objects, (DataError, ), is_list, name='é.xml')


def box_labels():
    """As a training gets them."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.readers import read_objects
    return Reader(_xml_samples()[:2], lambda path: _label(
        read_objects, dict(box_path=path, img_path=path), path), (DataError, ), _is_label,
        name='a b.xml')


def _coco_samples():
    images = [dict(id=number, file_name=f'{number}.jpg', width=SHAPE[1], height=SHAPE[0])
              for number in (1, 2)]
    categories = [dict(id=17, name='cat'), dict(id=18, name='dog'), dict(id=70, name='toaster')]
    runs = [dict(size=list(SHAPE), counts=[100, 200, 468]),
            dict(size=list(SHAPE), counts='T3X6d>')]
    outlines = [[[1.5, 2, 20, 2, 20, 20.5]], [[0, 0, 9, 0, 9, 9], [3, 3, 30, 3, 12, 22]], *runs]
    annotations = [
        dict(id=number, image_id=1 + number % 2, category_id=17 + number % 2, area=9,
             bbox=[1, 2, 10.5, 12], iscrowd=int(isinstance(outline, dict)), segmentation=outline)
        for number, outline in enumerate(outlines)]
    content = dict(info={}, images=images, annotations=annotations, categories=categories)
    return [json.dumps(content).encode(), json.dumps(content, indent=1).encode()]


def coco_json():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.coco_json import read_coco

    def read(path):
        content = read_coco(path, CLASSES)
        return _unless_faulty([content.images, content.objects, content.categories,
                               sorted(map(str, content.crowds))], content.faults)

    def is_content(content):
        boxes = np.array([box for _, boxes in content[1].values() for box in boxes]).reshape(-1, 4)
        names = {name for names, _ in content[1].values() for name in names}
        return names <= set(CLASSES[1:]) and bool(
            np.isfinite(boxes).all() and (boxes >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all())
    return Reader(_coco_samples(), read, (DataError, Refused), is_content, name='instances.json')


def outlines():
    """Polygons and run lengths of a COCO file, painted into masks."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.converters.semantic_mask import MakeSemanticMask, find_jobs
    from mmseg_wss.labels.formats.coco_outlines import read_outlines
    from mmseg_wss.labels.formats.mask_file import read_mask

    def read(path):
        content = read_outlines(path)
        make, masks = MakeSemanticMask(path, Path(path).parent, {}), {}
        for job in find_jobs(content.images):
            if np.prod(job.shape, dtype=float) > 1e6:  # a legal size, and minutes for all of them
                continue
            make('mask', *job[1:])
            masks[job.name] = read_mask(Path(path).with_name('mask.png'))
        return [content.classes, masks]

    def is_content(content):
        classes, masks = content
        return all(set(np.unique(mask)) <= {*range(len(classes)), 255} for mask in masks.values())
    return Reader(_coco_samples(), read, (DataError, ), is_content, name='instances.json')


def tag_files():
    from mmseg_wss.labels.formats.tag_file import read_tag_file
    ids = ['2007_000032', '2007_000039', 'a/é']
    text = '2007_000032 cat dog\n2007_000039 bird\na/é dog\n'.encode()
    return Reader([text, text.replace(b'\n', b'\r\n'), b'\xef\xbb\xbf' + text],
                  lambda path: _unless_faulty(*read_tag_file(path, ids, 'train.txt')),
                  (Refused, ), lambda tags: set(ids) <= set(tags), name='tags.txt')


def id_lists():
    from mmseg_wss.labels.formats.id_list import read_id_list
    text = '2007_000032\n2007_000039  1\n2008_000001 -1\na/é\n'.encode()
    return Reader([text, text.replace(b'\n', b'\r\n')],
                  lambda path: _unless_faulty(*read_id_list(path)), (Refused, ),
                  lambda ids: 0 < len(ids) == len(set(ids)) and all(ids), name='train.txt')


def class_names():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.class_names import read_class_names
    return Reader(['background\ncat\npotted plant\né\n'.encode()], read_class_names, (DataError, ),
                  lambda names: 0 < len(names) == len(set(names)) and all(
                      isinstance(name, str) and name.strip() for name in names),
                  name='classes.txt')


# ---- .mat

def _mat(**fields):
    import scipy.io
    for compressed in False, True:
        content = io.BytesIO()
        scipy.io.savemat(content, fields, do_compression=compressed)
        # its text has the time of writing
        yield b'MATLAB 5.0 MAT-file'.ljust(116) + content.getvalue()[116:]


def mcg_mat():
    from scipy.sparse import csc_matrix

    from mmseg_wss.errors import DataError
    from mmseg_wss.proposals.mcg import mcg_masks
    superpixels = (np.mgrid[:SHAPE[0], :SHAPE[1]][0] // 6 + 1).astype(np.uint16)
    labels = np.empty((3, 1), object)
    labels[:, 0] = [np.array([[1, 2]], np.uint16), np.array([[3]], np.uint16),
                    np.array([[1, 4]], np.uint16)]
    member = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]], bool).T
    boxes = np.array([[2, 3, 20, 14], [0, 0, 32, 24]], np.float32)
    samples = [*_mat(superpixels=superpixels, labels=labels, scores=np.ones((3, 1))),
               *_mat(superpixels=superpixels, sp2reg=member),
               *_mat(superpixels=superpixels.astype(float), sp2reg=csc_matrix(member))]

    def are_masks(masks):
        return masks.dtype == bool and masks.shape == (2, *SHAPE) and masks.any((1, 2)).all()
    return Reader(samples, lambda path: mcg_masks(path, boxes, SHAPE), (DataError, ), are_masks,
                  name='image.mat')


def sbd_mat():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.converters.sbd import read_sbd_mask
    _, mask = _pixels()
    content = dict(Segmentation=mask, Boundaries=np.zeros((3, 1)), CategoriesPresent=[1, 2])
    return Reader([*_mat(GTcls=content)], read_sbd_mask, (DataError, ),
                  lambda mask: mask.dtype == np.uint8 and mask.ndim == 2 and mask.size > 0,
                  name='2008_000001.mat')


# ---- files of trainings and pipelines

MARK = 'was-executed'


class Malicious:
    """Unpickled, it makes a folder beside the working directory's files."""

    def __reduce__(self):
        import os
        return os.mkdir, (MARK, )


def checkpoints():
    """What a file makes Python call would leave a folder in the working directory."""
    import torch

    from mmseg_wss.errors import DataError
    from mmseg_wss.utils.checkpoint_file import load_from_local
    content = dict(meta=dict(iter=3, epoch=1, dataset_meta=dict(classes=CLASSES)),
                   state_dict={'a.weight': torch.arange(12.).view(3, 4), 'b': torch.ones(3).half()},
                   optimizer=dict(state={0: dict(step=3)}, param_groups=[dict(lr=0.1)]),
                   message_hub=dict(log_scalars={}, best=np.float32(0.5)))
    samples = []
    for value in content, dict(state_dict=Malicious()):
        for is_zip in True, False:
            file = io.BytesIO()
            torch.save(value, file, _use_new_zipfile_serialization=is_zip)
            samples.append(file.getvalue())
    return Reader(samples, lambda path: load_from_local(path, 'cpu'), (DataError, ),
                  lambda _: not Path(MARK).exists(), name='iter_3.pth')


def mxnet_files():
    import struct

    from mmseg_wss.errors import DataError
    from mmseg_wss.models.converters.mxnet_file import read_ndarrays
    array = struct.pack('<IiI2qiii', 0xF993FAC9, 0, 2, 2, 3, 1, 0, 0) + bytes(24)
    names = b''.join(struct.pack('<Q', 5) + name for name in (b'arg:a', b'arg:b'))
    content = struct.pack('<QQQ', 0x112, 0, 2) + 2 * array + struct.pack('<Q', 2) + names
    return Reader([content], read_ndarrays, (DataError, ), name='x.params')


def _stage(path):
    from mmseg_wss.pipeline.stage import Stage
    return Stage('masks', 'x.py', str(Path(path).parent), ('a', ), dict(options=dict(tau=0.9)), (),
                 dict(images='5f0c'))


def stage_marks():
    from mmseg_wss.pipeline.stage import DONE, PipelineError, mark_done, mark_started, stage_state
    samples = []
    for mark in mark_started, mark_done:
        with TemporaryDirectory() as folder:
            path = Path(folder, 'stage.json')
            mark(_stage(path))
            content = json.loads(path.read_bytes())
        if 'finished' in content:
            content['finished'] = '2026-01-01T00:00:00'
        samples.append(json.dumps(content, indent=1).encode())
    return Reader(samples, lambda path: stage_state(_stage(path)), (PipelineError, ),
                  lambda state: state in (DONE, 'continues', 'to do'), name='stage.json')


def last_checkpoints():
    """The file beside checkpoints that names the one to resume from."""
    from mmseg_wss.engine.work_dir import latest_checkpoint
    from mmseg_wss.errors import DataError

    def read(path):
        Path(path).with_name('iter_3.pth').touch()
        return latest_checkpoint(Path(path).parent)
    return Reader([b'/old/folder/iter_3.pth', b'iter_3.pth\n'], read, (DataError, ),
                  lambda path: path is None or Path(path).is_file(), name='last_checkpoint')


def manifests():
    """Records of masks as older versions kept them."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.formats.mask_file import read_record
    from mmseg_wss.labels.stores.manifests import convert_manifests
    lines = [dict(recipe='5f0c', **{'is': dict(tool='generate_proposals', method='grabcut')}),
             dict(name='mask', recipe=None, revision=1),
             dict(name='mask', recipe='5f0c', inputs='9a31', revision=1)]
    mask = _mask_samples()[1]

    def read(path):
        picture = Path(path).with_name('mask.png')
        picture.write_bytes(mask)
        convert_manifests(Path(path).parent)
        return read_record(picture)
    return Reader([''.join(json.dumps(line) + '\n' for line in lines).encode()], read,
                  (DataError, ), lambda record: isinstance(record['recipe'], dict),
                  name='manifest.jsonl')


def label_manifests():
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.stores.weak_label_files import AnnotationFolder
    recipe = dict(tool='make_weak_labels', kind='boxes', options=dict(seed=0))

    def read(path):
        AnnotationFolder(Path(path).parent, recipe).close()
        return json.loads(Path(path).read_text())
    return Reader([json.dumps(recipe, indent=2).encode()], read, (DataError, ),
                  lambda content: content == recipe, name='manifest.json')


def validation_logs():
    """The log of a training from which the validation curve is read."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.evaluation.val_curve import read_curve
    lines = [dict(loss=0.5, lr=0.01, iter=1, step=1), dict(mIoU=40.5, aAcc=90.0, step=2),
             dict(mIoU=41.5, aAcc=91.0, step=4)]

    def read(path):
        # WORK_DIR/TIME/vis_data/scalars.json
        folder = Path(path).parent / 'run' / 'time' / 'vis_data'
        folder.mkdir(parents=True, exist_ok=True)
        Path(path).replace(folder / 'scalars.json')
        curve = read_curve(str(folder.parents[1]))
        return {step: entry['mIoU'] for step, entry in curve.items()}

    def is_curve(curve):
        return all(type(step) is int and type(score) in (int, float)
                   for step, score in curve.items())
    return Reader([''.join(json.dumps(line) + '\n' for line in lines).encode()], read,
                  (DataError, ), is_curve, name='scalars.json')


def run_results():
    """The lines of compare_runs.py's results."""
    from mmseg_wss.errors import DataError
    from mmseg_wss.evaluation.run_results import read_results
    lines = [dict(config='a.py', name='a', options=[f'randomness.seed={seed}'], seed=seed,
                  digest=f'{seed:016x}', steps=20, metrics=dict(mIoU=40.5), classes=dict(cat=41.5),
                  seconds=3.5, memory_mb=100, curve={10: dict(mIoU=30.), 20: dict(mIoU=40.5)})
             for seed in range(2)]

    def are_results(results):
        curves = [result['curve'] for result in results]
        return all(type(step) is int for curve in curves for step in curve) and all(
            type(score) in (int, float) for curve in curves for scores in curve.values()
            for score in scores.values())
    return Reader([''.join(json.dumps(line) + '\n' for line in lines).encode()], read_results,
                  (DataError, ), are_results, name='results.jsonl')


READERS = dict(
    image=images, image_header=image_headers, mask=masks, other_mask=other_masks,
    whole_mask=whole_masks, partial_mask=partial_masks, mask_record=mask_records, voc_xml=voc_xml,
    box_label=box_labels, coco_json=coco_json, outline=outlines, tag_file=tag_files,
    id_list=id_lists, class_names=class_names, mcg_mat=mcg_mat, sbd_mat=sbd_mat,
    checkpoint=checkpoints, mxnet=mxnet_files, stage=stage_marks, last_checkpoint=last_checkpoints,
    manifest=manifests, label_manifest=label_manifests, validation_log=validation_logs,
    run_results=run_results)

# files of these are given to other readers, too
FOREIGN = images, masks, voc_xml, coco_json, tag_files, mcg_mat, stage_marks
