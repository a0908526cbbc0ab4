"""The labels of a batch, read from its samples."""
import torch
from mmengine.structures import InstanceData, PixelData

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import IGNORE

_REMEDIES = {  # what is missing -> kind of label, or None for any other -> what to do
    'mask': {
        'box': "Add mmseg_wss.PseudoMask(kind='rect') to its pipeline, which paints boxes, or give "
               "the data set supervision='pseudo' and a folder of masks.",
        'image': "Tags do not say where an object is: train with mmseg_wss.EMHead (e_step 'fixed' "
                 "or 'adapt') or mmseg_wss.RRMHead, or give the data set supervision='pseudo' and "
                 'a folder of masks.',
        'none': "Give its data set supervision='pseudo' and a folder of masks that a network made "
                '(tools/generate_pseudo_masks.py), or take it out of train_dataloader.',
        None: 'Load labels with mmseg_wss.LoadWeakLabels, and give its data set a supervision with '
              'masks.'},
    'seeds': {None: "Give its data set supervision='pseudo', and as pseudo_mask the folder of the "
                    "seeds' masks."},
    'tags': {
        **dict.fromkeys(('point', 'scribble'),
                        'Only background is drawn, which does not say what else is there: '
                        'give its data set a tag_file.'),
        'pixel': 'Make tags of the masks (tools/make_weak_labels.py --kind tags), and give the '
                 "data set supervision='image' and the tag_file.",
        'pseudo': 'Train from its masks, with any head of mmseg or mmseg_wss.EMHead with e_step '
                  "'mask'.",
        'none': 'Take it out of train_dataloader; or, with a head that trains from masks, make '
                'pseudo masks for it (tools/generate_pseudo_masks.py).',
        None: "Give its data set supervision='image' or 'box', and load labels with "
              'mmseg_wss.LoadWeakLabels.'},
    'boxes': {None: "Give its data set supervision='box'; without boxes, an EMHead needs "
                    "labels_from='image'."},
    'supervision': {None: 'Pack samples with mmseg_wss.PackWeakSegInputs.'},
    'valid': {None: 'Use mmseg_wss.WeakSegDataPreprocessor as the data_preprocessor of the model.'},
}


def supervisions_of(samples):
    """Supervision of each of N samples, list[str].

    Raises:
        DataError: a sample does not say it.
    """
    _check(samples, 'supervision', 'supervision')
    return [sample.supervision for sample in samples]


def check_masks(samples, what='mask'):
    """Raise DataError unless each sample has gt_sem_seg; `what` it is, for the message."""
    _check(samples, 'gt_sem_seg', what)


def masks_of(samples, what='mask'):
    """The masks of N samples with gt_sem_seg, int64 (N, H, W).

    Args:
        samples (list[SegDataSample]): N samples.
        what (str): what the mask is to the head, 'mask' or 'seeds'.

    Raises:
        DataError: a sample without a mask.
    """
    check_masks(samples, what)
    return torch.stack([sample.gt_sem_seg.data[0] for sample in samples])


def valid_of(samples):
    """Where N samples with valid are image and not padding, bool (N, H, W).

    Raises:
        DataError: a sample does not say it.
    """
    _check(samples, 'valid', 'valid')
    return torch.stack([sample.valid.data[0] for sample in samples]).bool()


def tags_of(samples):
    """The tags of N samples with gt_tags, float (N, K): 1 for the background and what is there.

    Raises:
        DataError: a sample without tags.
    """
    _check(samples, 'gt_tags', 'tags')
    return torch.stack([sample.gt_tags.float() for sample in samples])


def known_empty(samples, device):
    """Which of N samples say by gt_tags that the whole image is background, bool (N,).

    A sample without tags does not say so.
    """
    unknown = torch.zeros((), dtype=torch.bool, device=device)
    return torch.stack([(sample.gt_tags[1:] == 0).all() if 'gt_tags' in sample else unknown
                        for sample in samples])


def boxed_classes_of(samples, classes, device):
    """1 for the background and the classes of a sample's gt_boxes, float (N, `classes`).

    Raises:
        DataError: a sample without boxes.
    """
    _check(samples, 'gt_boxes', 'boxes')
    tags = torch.zeros(len(samples), classes, device=device)
    tags[:, 0] = 1
    for row, sample in zip(tags, samples):
        row[sample.gt_boxes.labels] = 1
    return tags


def without_labels(sample, shape, classes, device):
    """A copy of a sample from which nothing can be learnt, whatever label a loss reads.

    Args:
        sample (SegDataSample): of a batch.
        shape (tuple): (H, W) of the batch's images.
        classes (int): K, where the sample does not say its classes.
        device (torch.device): of the batch.

    Returns:
        SegDataSample: weak, with a mask of 255, the background's tag and no box.
    """
    classes = len(sample.metainfo.get('classes', ())) or classes
    blank = sample.new(metainfo=dict(sample.metainfo, supervision='pseudo'))
    blank.gt_sem_seg = PixelData(data=torch.full((1, *shape), IGNORE, device=device))
    blank.gt_tags = torch.zeros(classes, device=device)
    blank.gt_tags[0] = 1
    blank.gt_boxes = InstanceData(bboxes=torch.zeros(0, 4, device=device),
                                  labels=torch.zeros(0, dtype=torch.long, device=device))
    return blank


def path_of(sample):
    """The image's file, for messages."""
    return sample.metainfo.get('img_path', 'a sample')


def _check(samples, field, what):
    for sample in samples:
        if field not in sample:
            kind = sample.metainfo.get('supervision')
            label = dict(none='an unlabelled image').get(kind, kind and f"supervision='{kind}'")
            remedy = _REMEDIES[what].get(kind, _REMEDIES[what][None])
            raise DataError(f'{path_of(sample)}: it has no {what}{label and f" ({label})" or ""}. '
                            f'{remedy}')
