"""Base class of data sets whose images carry pixel masks or cheaper labels."""
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
from mmseg.datasets import BaseSegDataset

from mmseg_wss.datasets.carried_over import check_dataset_options, check_transforms
from mmseg_wss.datasets.mask_source import mask_source
from mmseg_wss.datasets.pipeline_facts import decodes_with_opencv
from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.labels.checks.class_check import class_faults
from mmseg_wss.labels.formats.class_names import read_class_names
from mmseg_wss.labels.formats.image_file import check_image_file, image_shape
from mmseg_wss.labels.kinds import KINDS, read_label
from mmseg_wss.labels.palette import class_palette
from mmseg_wss.labels.stores.mask_folder import judge_faults, maker_faults
from mmseg_wss.utils.file_names import list_folder, near_name
from mmseg_wss.utils.progress import track
from mmseg_wss.utils.random_state import seeded

EMPTY = 'background', 'unlabelled', 'error'
_READERS = 8  # threads; files may lie on a network


class WeakSegDataset(BaseSegDataset):
    """A list of images with one kind of supervision.

    Building it reads the list and looks which files exist; no image and no label is opened.
    Where the supervision is not 'pixel', the path of the true mask is not even formed, so nothing
    can open it (the leak guard: a training is bit-identical without those files).

    A sample drawn with a `SeededIndex` goes through the pipeline under its own seed.

    Args:
        supervision (str): 'pixel' (the mask is truth), 'box' (boxes and tags), 'image' (tags),
            'pseudo' (a mask that a program made, in the folder `pseudo_mask`), 'none' (no label at
            all, and no file of one), in layouts that have them 'point' and 'scribble' (a mask that
            is 255, unlabelled, but for points or scribbles), or another entry of `KINDS`.
        pseudo_mask (str): folder of the pseudo masks (PNG, named like the image), relative to
            `data_root` or absolute; with ``supervision='pseudo'`` only.
        made_by (str, optional): the method that must have made the pseudo masks, by their records:
            that of a recipe, such as 'grabcut+region' or the name of a config ('ann_net_hr48_voc').
        masks (str | dict, optional): where the mask of a weak image comes from, beside its label:
            'rect', ``dict(type='folder', path=FOLDER)``, ... (`mask_source`). What the label
            excludes leaves the mask (`read_training_label`).
        empty (str): what a label without any object says, such as an XML file without ``<object>``
            or a tag line of an ID alone: 'background' (it is known that the image has none: all of
            it is background, the best label that there is), 'unlabelled' (the image has no label,
            as with ``supervision='none'``) or 'error' (it is a fault).
        img_suffix (str, optional): what image files end in, behind their ID; without it they are
            found, whatever `IMAGE_SUFFIXES` they have, in capitals or not.
        with_boxes (bool): images with a mask have boxes too, for `BoxPriors`. Images that are
            evaluated may have them as an input; there, boxes never come from masks.
        **kwargs: see ``mmseg.datasets.BaseSegDataset``.

    Raises:
        ConfigError: an unknown supervision, `empty` or `masks`; `pseudo_mask` missing, or it,
            `made_by` or `masks` given where it is not used; `with_boxes` for images that have
            boxes anyway, or no mask of the whole image; options of mmseg that would do nothing
            or harm (`check_dataset_options`, `check_transforms`).
        DataError: the list is missing, empty or holds an image twice, files of it are missing,
            there is no file of class names, one of these text files is not in UTF-8, there are more
            than 255 classes, or one without a name or with that of another, an image has two files,
            or pseudo masks are not `made_by` that method.
    """

    def __init__(self, supervision='pixel', pseudo_mask=None, made_by=None, masks=None,
                 with_boxes=False, empty='background', img_suffix=None, **kwargs):
        self.kind = self.label_kind(supervision)
        check_dataset_options(kwargs)
        if (supervision == 'pseudo') != (pseudo_mask is not None):
            raise ConfigError(
                f"supervision={supervision!r} with pseudo_mask={pseudo_mask!r}: the folder of the "
                "pseudo masks belongs to supervision='pseudo', and only to it.")
        self.masks = mask_source(masks, supervision)
        if made_by is not None and pseudo_mask is None:
            raise ConfigError(f"made_by={made_by!r} says who made pseudo masks: it belongs to "
                              f"supervision='pseudo', got supervision={supervision!r}.")
        if with_boxes and not self.kind.may_have_boxes:
            masks = ', '.join(repr(name) for name, kind in KINDS.items() if kind.may_have_boxes)
            raise ConfigError(f'with_boxes=True is for images with a mask ({masks}), got '
                              f'supervision={supervision!r}: remove it'
                              + ("; use supervision='box'." if supervision == 'image' else '.'))
        if empty not in EMPTY:
            raise ConfigError(f'empty must be one of {", ".join(EMPTY)}, got {empty!r}.')
        self.supervision = supervision
        self.empty = empty
        self.with_boxes = with_boxes
        self.made_by = made_by or self.masks.get('made_by')
        classes = (kwargs.get('metainfo') or {}).get('classes')
        if isinstance(classes, str):
            kwargs['metainfo'] = dict(kwargs['metainfo'], classes=read_class_names(classes))
        elif classes is not None and (faults := class_faults(classes)):
            raise DataError('\n'.join(f"{kwargs.get('ann_file')}: metainfo['classes'] {fault}."
                                      for fault in faults))
        self._opencv = decodes_with_opencv(kwargs.get('pipeline', ()))
        folder = pseudo_mask or self.masks.get('path') or ''
        kwargs['data_prefix'] = dict(kwargs.get('data_prefix') or {}, pseudo_mask=folder)
        super().__init__(img_suffix=img_suffix, **kwargs)
        if 'gt_bboxes' in self.kind.fields or with_boxes:
            check_transforms(self.pipeline.transforms, supervision)

    @classmethod
    def supervisions(cls):
        """Names of the kinds of labels that the layout has."""
        return list(KINDS)

    @classmethod
    def label_kind(cls, supervision):
        """The entry of `KINDS`; ConfigError where the layout has no such labels."""
        if supervision not in cls.supervisions():
            raise ConfigError(f'supervision of {cls.__name__} must be one of '
                              f'{", ".join(cls.supervisions())}, got {supervision!r}.')
        return KINDS[supervision]

    def _update_palette(self):
        """Colours that can be told apart, VOC's for its classes, unless metainfo has some."""
        if self._metainfo.get('palette'):
            return super()._update_palette()
        return class_palette(self._metainfo['classes'])

    def full_init(self):
        """Load the list, then see that every file it needs exists."""
        if self._fully_initialized:
            return
        super().full_init()
        missing = self.missing_files(self.get_data_info(i) for i in range(len(self)))
        if missing:
            shown = '\n  '.join(f'{path}{near_name(path)}' for path in missing[:5])
            more = f'\n  and {len(missing) - 5} more' if len(missing) > 5 else ''
            raise DataError(
                f'{self.ann_file}: {len(missing)} file(s) that its images need '
                f"(supervision='{self.supervision}') do not exist:\n  {shown}{more}\n"
                'Add them or remove the images from the list. (An image that is known to be empty '
                'has a file too: an XML file without <object>, a mask of 0. An unlabelled one '
                "belongs to a list with supervision='none'.) tools/check_data.py CONFIG reports "
                'every fault of a config at once.' + (
                    ' To predict images without masks: tools/predict.py CONFIG CHECKPOINT FOLDER '
                    '--out DIR.' if self.test_mode and self.kind.is_truth else ''))

    def load_data_list(self):
        """Read the list: a dict for each image, with the paths of the files it needs.

        Raises:
            DataError: all that `scan_list` finds wrong.
        """
        data_list, faults = self.scan_list()
        faults = faults + self.folder_faults(data_list)
        if faults:
            raise DataError('\n'.join(faults))
        return data_list

    @abstractmethod
    def scan_list(self):
        """Read the list. A faulty line does not end it: a check reports all faults together.

        Returns:
            tuple: every image once, list of dict: img_path, supervision, and what the supervision
            needs; and the faults, list of str.
        """

    def folder_faults(self, data_list):
        """What is wrong with the folder of the pseudo masks as a whole, list of str."""
        paths = [info['pseudo_mask_path'] for info in data_list if 'pseudo_mask_path' in info]
        if not paths:
            return []
        folder = self.data_prefix['pseudo_mask']
        return (maker_faults(folder, self.made_by, paths)
                or (judge_faults(folder, paths) if self.masks.get('type') == 'auto' else []))

    def source_info(self, mask_path, inputs):
        """What `masks` adds to an element of ``load_data_list()``.

        Args:
            mask_path (Callable): no argument -> path of the image's mask in the folder.
            inputs (dict): where its boxes are, see `stale_mask_faults`.
        """
        if not self.masks:
            return {}
        info = dict(masks=self.masks['type'])
        if 'path' in self.masks:
            info['pseudo_mask_path'] = mask_path()
            if 'gt_bboxes' in self.kind.fields:
                info['mask_inputs'] = inputs
        return info

    def missing_files(self, data_list):
        """Paths of `data_list` (keys that end in ``_path``) that do not exist, in its order."""
        listed, missing = {}, []
        for info in data_list:
            for key, path in info.items():
                if not key.endswith('_path'):
                    continue
                folder, _, name = path.rpartition('/')
                if folder not in listed:  # one listing a folder, not one request a file
                    listed[folder] = set(list_folder(folder, backend_args=self.backend_args))
                if name not in listed[folder]:
                    missing.append(path)
        return missing

    def class_table(self):
        """The classes of each image by its own label; reads all labels, masks included.

        No other label is opened, nor the masks of another source (`masks`).

        Returns:
            np.ndarray: bool (N, K); the background, class 0, is no object and False. An image has
            none where its label names none, as an unlabelled one.

        Raises:
            DataError: a label file is missing, unreadable or wrong; all of its faults are named.
        """
        classes = list(self._metainfo['classes'])

        def seen(index):
            label = read_label(self.get_data_info(index), classes, backend_args=self.backend_args)
            label.checked_fields()
            return [name in label.seen for name in classes]

        with ThreadPoolExecutor(_READERS) as pool:
            rows = track(pool.map(seen, range(len(self))),
                         f'Reading the classes of {self.ann_file}', len(self))
            table = np.array(list(rows), bool).reshape(len(self), len(classes))
        table[:, 0] = False
        return table

    def prepare_data(self, idx):
        """Run the pipeline on image `idx`.

        Raises:
            DataError: the image file is corrupt, or not what a training takes (`read_image`), its
                label has faults (`LoadWeakLabels`), or a transform fails on it; the file is named.
        """
        info = self.get_data_info(idx)
        path = info['img_path']
        info['classes'] = self._metainfo['classes']  # names in the label files become indices
        check_image_file(path, opencv=self._opencv)
        seed = getattr(idx, 'seed', None)
        try:
            with seeded(seed) if seed is not None else nullcontext():
                sample = self.pipeline(info)
        except (ConfigError, DataError):
            raise
        except FileNotFoundError as error:
            raise DataError(f'{error.filename or path}: there is no such file. Add it, or remove '
                            f'{path} from the list.') from error
        except Exception as error:
            check_image_file(path, whole=True, opencv=self._opencv)
            raise DataError(_pipeline_fault(path, error)) from error
        if sample is None:  # mmengine would draw another image
            raise DataError(f'{path}: a transform of the pipeline left the image out. Remove it '
                            'from the list, or the transform (or its ignore_empty=True).')
        return sample


def _pipeline_fault(path, error):
    height, width = image_shape(path) or ('?', '?')
    words = ' '.join(str(error).split())
    return (f'{path}: the pipeline fails on this image of {width}x{height} (width x height): '
            f'{type(error).__name__}: {words}. If others pass, change the image or remove it from '
            'the list; if none passes, correct the pipeline.')
