"""Weakly and strongly labelled images in the format of COCO's instance annotations."""
import os.path as osp
from unicodedata import normalize

from mmseg_wss.datasets.weak_seg_dataset import WeakSegDataset
from mmseg_wss.errors import ConfigError, DataError, abridged
from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.formats.coco_json import read_coco
from mmseg_wss.labels.formats.id_list import read_id_list, set_option
from mmseg_wss.labels.kinds import KINDS, is_truth
from mmseg_wss.registry import DATASETS
from mmseg_wss.utils.file_names import FolderIndex

_FILES = 'seg_map_path', 'pseudo_mask_path', 'box_path'  # the last is the COCO file itself


@DATASETS.register_module()
class COCOWeakSegDataset(WeakSegDataset):
    """Images of a COCO instances file, with the classes of VOC or others.

    ::

        data_root/
          annotations/instances_train2017.json   images, categories, and boxes of objects
          train2017/ID.jpg
          PseudoMask/ID.png                      index masks of a program ('pseudo')
          MASKS/ID.png                           true index masks ('pixel'); COCO has none

    Boxes ('box', or ``with_boxes=True``) and tags ('image') come from the file; the ID, by which
    masks are named, is the stem of the image's file_name. Categories become classes by name, in
    COCO's spelling or VOC's, so their ids may be any. Annotations of other categories, of crowds
    and of boxes without area are left out. An image that has such annotations alone is left out,
    too, unless its mask is the truth ('pixel'). One without any annotation is known to be empty:
    ``empty='background'`` keeps it as background, 'unlabelled' leaves it out. Boxes are clipped to
    the image: some of COCO exceed it by fractions of a pixel. A true mask may have 0 and 255 alone:
    crowds may be 255.

    Class names are ``metainfo['classes']`` (a list, or a file with a name a line), else the 21 of
    VOC, with which about 94 000 of the 118 287 images of COCO 2017 train remain.

    Args:
        ann_file (str): the JSON file, relative to `data_root`. Outlines in it are not used.
        data_prefix (dict): folders relative to `data_root`: img_path (train2017) and, which 'pixel'
            needs, seg_map_path.
        image_list (str, optional): only the images of this list, relative to `data_root`: an ID a
            line.
        **kwargs: see `WeakSegDataset`.

    Raises:
        ConfigError: see `WeakSegDataset`; or ``supervision='pixel'`` without seg_map_path.
        DataError: see `WeakSegDataset`; `image_list` names an image that the file does not have; or
            the file is no COCO file, contradicts itself (an image twice, annotations of an unknown
            image or category, boxes that are no four numbers or lie outside the image), or no image
            remains.
    """

    def __init__(self, ann_file, data_root=None, metainfo=None, data_prefix=None,
                 image_list=None, **kwargs):
        data_prefix = {'img_path': 'train2017', **(data_prefix or {})}
        kind = self.label_kind(kwargs.get('supervision', 'pixel'))
        if kind.is_truth and not data_prefix.get('seg_map_path'):
            weak = ', '.join(repr(name) for name in self.supervisions() if not is_truth(name))
            raise ConfigError(
                "supervision='pixel' reads true masks, and a COCO file has none: set "
                'data_prefix=dict(seg_map_path=FOLDER) to a folder of index masks (ID.png), or '
                f'supervision to one of {weak}.')
        metainfo = dict(metainfo or {})
        metainfo.setdefault('classes', list(VOC_CLASSES))
        self.image_list = osp.join(data_root or '', image_list) if image_list else None
        super().__init__(ann_file=ann_file, data_root=data_root, metainfo=metainfo,
                         data_prefix=data_prefix, **kwargs)

    @classmethod
    def supervisions(cls):
        """Names of the kinds of labels that the layout has."""
        return [name for name, kind in KINDS.items() if not kind.file or kind.file.key in _FILES]

    def scan_list(self):
        """Read the list, see `WeakSegDataset`.

        What the supervision needs is seg_map_path and has_crowd, pseudo_mask_path, objects (see
        `load_objects`) or tags (list of class names).
        """
        classes = self._metainfo['classes']
        try:
            content = read_coco(self.ann_file, classes, self.backend_args,
                                with_objects=self.kind.file is not None)
        except DataError as error:
            return [], [str(error)]
        images, faults = self._listed(content.images)
        known = content.objects.keys() | content.empty
        kept = content.objects if self.empty == 'unlabelled' else known
        index = FolderIndex(self.backend_args)
        data_list = [self._data_info(name, number in content.crowds, index,
                                     *content.objects.get(number, ([], [])))
                     for number, name in images.items()
                     if self.kind.is_truth or not self.kind.file or number in kept]
        faults = content.faults + faults
        is_foreign = images.keys() - known and not images.keys() & content.objects.keys()
        if faults or data_list and (not is_foreign or self.kind.is_truth or not self.kind.file):
            return data_list, faults
        return [], [
            f'{self.ann_file}: none of its {len(images)} image(s) has an object of the '
            f'classes {abridged(classes[1:])}; its categories are '
            f'{abridged(content.categories, 100) or "none"}. Set metainfo["classes"] to names of '
            'these behind the background, or use another file.']

    def _listed(self, images):
        """Those of the images (id -> file_name) that are in `image_list`, and its faults."""
        if self.image_list is None:
            return images, []
        ids, faults = read_id_list(
            self.image_list, set_option('image_list', self.data_root))
        numbers = {_stem(name): number for number, name in images.items()}
        missing = [name for name in ids if name not in numbers]
        if missing:
            faults.append(
                f'{self.image_list}: {len(missing)} image(s) are not in {self.ann_file}: '
                f'{abridged(missing)}. Name images of that file, without their suffix.')
        return {numbers[name]: images[numbers[name]] for name in ids if name in numbers}, faults

    def _data_info(self, file_name, has_crowd, index, names, boxes):
        stem = _stem(file_name)
        info = dict(img_path=index.path(osp.join(self.data_prefix['img_path'], file_name)),
                    supervision=self.supervision, label_map=None, reduce_zero_label=False,
                    seg_fields=[])
        if self.empty != 'background':
            info['empty'] = self.empty
        objects = dict(names=names, bboxes=boxes)
        file, fields = self.kind.file, self.kind.fields
        if file and file.key != 'box_path':
            info[file.key] = index.path(
                osp.join(self.data_prefix[file.option], stem + self.seg_map_suffix))
        if self.kind.is_truth:
            info['has_crowd'] = has_crowd
        if 'gt_seg_map' in fields:
            info['mask_inputs'] = dict(objects=objects)
        info.update(self.source_info(
            lambda: index.path(osp.join(
                self.data_prefix['pseudo_mask'], stem + self.seg_map_suffix)),
            dict(objects=objects)))
        if 'gt_bboxes' in fields or self.with_boxes:
            info['objects'] = objects
        elif 'gt_tags' in fields:
            info['tags'] = list(dict.fromkeys(names))
        return info


def _stem(file_name):
    return normalize('NFC', osp.splitext(osp.basename(file_name))[0])
