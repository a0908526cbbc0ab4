"""Weakly and strongly labelled images in the layout of the PASCAL VOC devkit."""
import os.path as osp

from mmseg_wss.datasets.weak_seg_dataset import WeakSegDataset
from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.formats.class_names import devkit_classes
from mmseg_wss.labels.formats.id_list import read_id_list, set_option
from mmseg_wss.labels.formats.image_name import find_image
from mmseg_wss.labels.formats.tag_file import read_tag_file
from mmseg_wss.labels.kinds import KINDS
from mmseg_wss.registry import DATASETS
from mmseg_wss.utils.file_names import FolderIndex


@DATASETS.register_module()
class VOCWeakSegDataset(WeakSegDataset):
    """Images of a folder in VOC layout, all with one kind of supervision.

    ::

        data_root/
          JPEGImages/ID.jpg                    or .png, .JPG, ... (`IMAGE_SUFFIXES`), mixed
          SegmentationClass/ID.png             index masks, 255 ignored ('pixel')
          SegmentationObject/ID.png            optional: instances, boxes of strong images from it
          Annotations/ID.xml                   boxes ('box'), and tags from them ('image')
          PointLabels/ID.png                   index masks, 255 but for points ('point')
          ScribbleLabels/ID.png                index masks, 255 but for scribbles ('scribble')
          ImageSets/Segmentation/train.txt     an ID a line; with ``/`` for sub folders
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
            names of its classes (``2007_000032 aeroplane person``, `parse_line`).
        box_source (str): where ``with_boxes=True`` takes the boxes of strong images from: 'xml', or
            'instance' for the tight boxes of instance masks (not of images that are evaluated).
        **kwargs: see `WeakSegDataset`.

    Raises:
        DataError: see `WeakSegDataset`; or a line of `tag_file` is missing or names no known class.
    """

    def __init__(self, ann_file, data_root=None, metainfo=None, data_prefix=None, tag_file=None,
                 box_source='xml', **kwargs):
        supervision = kwargs.get('supervision', 'pixel')
        kind = self.label_kind(supervision)
        if tag_file and not kind.tag_file:
            users = ', '.join(repr(name) for name, kind in KINDS.items() if kind.tag_file)
            raise ConfigError(f'tag_file={tag_file!r} belongs to the supervisions {users}, got '
                              f'supervision={supervision!r}: it would be ignored.')
        if box_source not in ('xml', 'instance'):
            raise ConfigError(f"box_source must be 'xml' or 'instance', got {box_source!r}.")
        if box_source == 'instance' and (
                not kind.is_truth or kwargs.get('test_mode') or not kwargs.get('with_boxes')):
            raise ConfigError(
                "box_source='instance' reads true masks, so it is for strong training images with "
                f'with_boxes=True alone; got supervision={supervision!r}, '
                f'test_mode={kwargs.get("test_mode", False)}, '
                f'with_boxes={kwargs.get("with_boxes", False)}.')
        self.box_source = box_source
        metainfo = dict(metainfo or {})
        if 'classes' not in metainfo:
            metainfo['classes'] = devkit_classes(data_root or '')
        self.tag_file = osp.join(data_root or '', tag_file) if tag_file else None
        files = [kind.file for kind in KINDS.values() if kind.file]
        prefix = dict(img_path='JPEGImages', instance_path='SegmentationObject',
                      **{file.option: file.folder for file in files})
        super().__init__(ann_file=ann_file, data_root=data_root, metainfo=metainfo,
                         data_prefix={**prefix, **(data_prefix or {})}, **kwargs)

    def scan_list(self):
        """Read the list, see `WeakSegDataset`.

        What the supervision needs is seg_map_path, box_path, instance_path, pseudo_mask_path,
        partial_mask_path or tags (list of class names; absent where there are none).
        """
        ids, faults = read_id_list(self.ann_file, set_option('ann_file', self.data_root))
        if not ids:
            return [], faults
        tags = {}
        if self.tag_file:
            tags, more = read_tag_file(
                self.tag_file, ids, self.ann_file, set_option('tag_file', self.data_root))
            faults += more
        index = FolderIndex(self.backend_args)
        data_list = [self._data_info(name, tags, index, faults) for name in ids]
        return data_list, faults

    def _data_info(self, name, tags, index, faults):
        def path(key, suffix):
            return index.path(osp.join(self.data_prefix[key], name + suffix))

        img_path, found = find_image(
            osp.join(self.data_prefix['img_path'], name), self.img_suffix, index)
        faults += found
        info = dict(img_path=img_path, supervision=self.supervision,
                    label_map=None, reduce_zero_label=False, seg_fields=[])
        if self.empty != 'background':
            info['empty'] = self.empty
        file = self.kind.file
        if file and not (self.tag_file and self.kind.tag_file == 'instead'):
            info[file.key] = path(file.option, file.suffix or self.seg_map_suffix)
        if 'gt_seg_map' in self.kind.fields:
            info['mask_inputs'] = dict(box_path=path('box_path', '.xml'))
        if self.with_boxes and self.box_source == 'xml':
            info['box_path'] = path('box_path', '.xml')
        elif self.with_boxes:
            info['instance_path'] = path('instance_path', self.seg_map_suffix)
        info.update(self.source_info(lambda: path('pseudo_mask', self.seg_map_suffix),
                                     dict(box_path=path('box_path', '.xml'))))
        if name in tags:
            info['tags'] = tags[name]
        return info
