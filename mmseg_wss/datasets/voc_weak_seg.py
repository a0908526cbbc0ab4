"""Weakly and strongly labelled images in the layout of the PASCAL VOC devkit."""
import os.path as osp
from collections import Counter

from mmengine.fileio import exists
from mmseg.utils import get_classes

from mmseg_wss.datasets.weak_seg_dataset import WeakSegDataset
from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import abridged
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.text_list import read_lines
from mmseg_wss.registry import DATASETS


@DATASETS.register_module()
class VOCWeakSegDataset(WeakSegDataset):
    """Images of a VOC devkit folder.

    ::

        data_root/
          JPEGImages/ID.jpg
          SegmentationClass/ID.png             index masks, 255 ignored ('pixel')
          SegmentationObject/ID.png            optional: instances, boxes of strong images from it
          Annotations/ID.xml                   boxes ('box'), and tags from them ('image')
          PointLabels/ID.png                   index masks, 255 but for points ('point')
          ScribbleLabels/ID.png                index masks, 255 but for scribbles ('scribble')
          ImageSets/Segmentation/train.txt     an ID a line
          classes.txt                          optional: class names, background first

    Class names are ``metainfo['classes']`` (a list, or a file with a name a line), else
    ``data_root/classes.txt``, else the 21 of VOC: a devkit of one's own needs no new class.

    Args:
        ann_file (str): the list of IDs, relative to `data_root`.
        data_prefix (dict): folders relative to `data_root`: img_path (JPEGImages), seg_map_path
            (SegmentationClass; SegmentationClassAug for the masks of SBD), instance_path
            (SegmentationObject), box_path (Annotations), point_path (PointLabels) and scribble_path
            (ScribbleLabels).
        tag_file (str, optional): tags from this file: for 'image' instead of the XML files, for
            'point' and 'scribble' instead of the classes that are drawn. A line is an ID and the
            names of its classes, separated by blanks (``2007_000032 aeroplane person``).
        box_source (str): where ``with_boxes=True`` takes the boxes of strong images from: 'xml', or
            'instance' for the tight boxes of instance masks (not of images that are evaluated).
        **kwargs: see `WeakSegDataset`.

    Raises:
        DataError: see `WeakSegDataset`; or a line of `tag_file` is missing or names no known class.
    """

    supervisions = (*WeakSegDataset.supervisions, 'point', 'scribble')

    def __init__(self, ann_file, data_root=None, metainfo=None, data_prefix=None, tag_file=None,
                 box_source='xml', **kwargs):
        supervision = kwargs.get('supervision', 'pixel')
        if tag_file and supervision not in ('image', 'point', 'scribble'):
            raise ValueError(
                f"tag_file={tag_file!r} belongs to the supervisions 'image', 'point' and "
                f"'scribble', got supervision={supervision!r}: it would be ignored.")
        if box_source not in ('xml', 'instance'):
            raise ValueError(f"box_source must be 'xml' or 'instance', got {box_source!r}.")
        if box_source == 'instance' and (
                supervision != 'pixel' or kwargs.get('test_mode') or not kwargs.get('with_boxes')):
            raise ValueError(
                "box_source='instance' reads true masks, so it is for strong training images with "
                f'with_boxes=True alone; got supervision={supervision!r}, '
                f'test_mode={kwargs.get("test_mode", False)}, '
                f'with_boxes={kwargs.get("with_boxes", False)}.')
        self.box_source = box_source
        metainfo = dict(metainfo or {})
        if 'classes' not in metainfo:
            file = osp.join(data_root or '', 'classes.txt')
            metainfo['classes'] = file if exists(file) else get_classes('voc')
        self.tag_file = osp.join(data_root or '', tag_file) if tag_file else None
        prefix = dict(img_path='JPEGImages', seg_map_path='SegmentationClass',
                      instance_path='SegmentationObject', box_path='Annotations',
                      point_path='PointLabels', scribble_path='ScribbleLabels')
        super().__init__(ann_file=ann_file, data_root=data_root, metainfo=metainfo,
                         data_prefix={**prefix, **(data_prefix or {})}, **kwargs)

    def scan_list(self):
        """Read the list as far as it goes, so that a check can look behind a fault of it.

        Returns:
            tuple: every image once, list of dict: img_path, supervision, and what the supervision
            needs: seg_map_path, box_path, instance_path, pseudo_mask_path, partial_mask_path, tags
            (list of class names; absent where there are none); and the faults, list of str.
        """
        ids, faults = read_id_list(self.ann_file, 'ann_file', self.data_root)
        if not ids:
            return [], faults
        tags = self._load_tags(ids, faults) if self.tag_file else {}
        return [self._data_info(name, tags) for name in ids], faults

    def _data_info(self, name, tags):
        def path(key, suffix):
            return osp.join(self.data_prefix[key], name + suffix)

        info = dict(img_path=path('img_path', self.img_suffix), supervision=self.supervision,
                    label_map=None, reduce_zero_label=False, seg_fields=[])
        if self.supervision == 'pixel':
            info['seg_map_path'] = path('seg_map_path', self.seg_map_suffix)
        elif self.supervision == 'pseudo':
            info['pseudo_mask_path'] = path('pseudo_mask', self.seg_map_suffix)
            info['mask_inputs'] = dict(box_path=path('box_path', '.xml'))
        elif self.supervision in ('point', 'scribble'):
            info['partial_mask_path'] = path(f'{self.supervision}_path', self.seg_map_suffix)
        if self.supervision == 'box' or self.with_boxes and self.box_source == 'xml' or (
                self.supervision == 'image' and not self.tag_file):
            info['box_path'] = path('box_path', '.xml')
        elif self.with_boxes:
            info['instance_path'] = path('instance_path', self.seg_map_suffix)
        elif name in tags:
            info['tags'] = tags[name]
        return info

    def _load_tags(self, ids, faults):
        if not exists(self.tag_file):
            faults.append(f'{self.tag_file}: there is no such tag file. Set tag_file (relative to '
                          f'data_root={self.data_root!r}) to a file of lines "ID CLASS ...".')
            return {}
        try:
            rows = [line.split() for line in read_lines(self.tag_file)]
        except DataError as error:
            faults.append(str(error))
            return {}
        tags = {row[0]: row[1:] for row in rows}
        twice = [name for name, count in Counter(row[0] for row in rows).items() if count > 1]
        if twice:
            faults.append(f'{self.tag_file}: more than one line for {abridged(twice)}. Write all '
                          'classes of an image in one line.')
        missing = [name for name in ids if name not in tags]
        if missing:
            faults.append(
                f'{self.tag_file}: no line for {len(missing)} image(s) of {self.ann_file}: '
                f'{abridged(missing)}. Add "{missing[0]} CLASS ..." or remove the image from the '
                'list.')
        return tags
