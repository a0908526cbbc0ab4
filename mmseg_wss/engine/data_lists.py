"""The lists of all data sets of a config, with what is wrong with them."""
import os
from dataclasses import dataclass, field

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.labels.checks.class_check import class_faults
from mmseg_wss.labels.imports.recognise import misplaced_export
from mmseg_wss.registry import DATASETS


@dataclass
class DataList:
    """What a data set of a config holds, as far as it could be read."""
    name: str  # what the config uses it for, and its list file
    for_training: bool
    supervision: str  # see `WeakSegDataset`; 'pixel' for data sets of mmseg
    classes: tuple = ()  # empty where they are unknown
    images: list = field(default_factory=list)  # as load_data_list() gives them
    faults: list = field(default_factory=list)  # of the list itself
    pipeline: list = field(default_factory=list)  # configs of its transforms
    split: str = 'train'  # 'train', 'val' or 'test'
    empty: str = 'background'  # see `WeakSegDataset`


def read_data_lists(cfg):
    """Read the lists of all data sets of a config: training sources, val, test. Opens no image.

    Args:
        cfg (mmengine.Config): a config; data set wrappers are looked through. Its key data_hint, a
            sentence, says where its data come from.

    Returns:
        list[DataList]: one for each data set, in the order of the config.
    """
    lists = []
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        leaves = list(leaf_datasets(loader['dataset'])) if loader else []
        for number, leaf in enumerate(leaves):
            use = 'training source' if split == 'train' else split
            if split == 'train' or len(leaves) > 1:
                use += f' {number}'
            lists.append(_read_data_list(use, split, leaf, cfg.get('data_hint', '')))
    return lists


def absent_data(cfg):
    """What to do where the data of a config are not there at all, a sentence for each folder.

    Args:
        cfg (mmengine.Config): a config; see `read_data_lists` for its data_hint.

    Returns:
        list[str]: empty where all folders are there.
    """
    leaves = [leaf for split in ('train', 'val', 'test') if cfg.get(f'{split}_dataloader')
              for leaf in leaf_datasets(cfg[f'{split}_dataloader']['dataset'])]
    found = [_absence(leaf.get('data_root'), cfg.get('data_hint', '')) for leaf in leaves]
    return list(dict.fromkeys(filter(None, found)))


def _absence(root, hint):
    """A sentence about a folder of data that is not there; None where it is, or is remote."""
    if not root or '://' in root or os.path.isdir(root):
        return None
    return (f'{root}: the data are not there: there is no such folder. Set data_root to where they '
            f'are. {hint}').rstrip()


def _read_data_list(use, split, leaf, hint):
    name = f'{use} ({leaf.get("ann_file")})'
    result = DataList(name, split == 'train', leaf.get('supervision', 'pixel'),
                      pipeline=list(leaf.get('pipeline', ())), split=split,
                      empty=leaf.get('empty', 'background'))
    export = misplaced_export(leaf.get('data_root') or '', leaf.get('ann_file') or '',
                              'COCO' in str(leaf['type']))
    if export:
        result.faults.append(export)
        return result
    try:
        # the check needs no pipeline, and lazy_init leaves the list to it
        dataset = DATASETS.build(dict(leaf, pipeline=[], lazy_init=True))
    except ValueError as error:
        result.faults.append(f'{name}: {error}')
        return result
    result.name = f'{use} ({dataset.ann_file})'
    absent = _absence(dataset.data_root, hint)
    if absent:  # nor are its classes
        result.faults.append(absent)
        return result
    result.classes = tuple(dataset.metainfo.get('classes') or ())
    result.faults += [f'{result.name}: the list of class names {fault}.'
                      for fault in (class_faults(result.classes) if result.classes else ())]
    if hasattr(dataset, 'scan_list'):
        result.images, faults = dataset.scan_list()
        result.faults += faults + dataset.folder_faults(result.images)
        return result
    try:
        result.images = dataset.load_data_list()
    except (AssertionError, OSError, ValueError) as error:  # mmseg's data sets assert
        result.faults.append(f'{dataset.ann_file}: {error}')
    return result
