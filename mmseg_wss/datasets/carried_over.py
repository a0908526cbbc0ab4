"""Options of mmseg's data sets and transforms that would be taken here and do nothing, or harm."""
from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.label_check import IGNORE

# transforms of mmseg that move the image and the mask, and leave the boxes where they were
_LEAVE_BOXES = {
    'RandomCrop': 'mmseg_wss.RandomCrop', 'RandomRotate': None, 'RandomRotFlip': None,
    'RandomMosaic': None, 'ResizeToMultiple': 'Resize', 'Albu': None}


def check_dataset_options(options):
    """Refuse options of mmseg's data sets that our labels do not follow.

    Args:
        options (dict): keyword arguments of ``BaseSegDataset``.

    Raises:
        ConfigError: one of them; what to do instead.
    """
    if options.get('reduce_zero_label'):
        raise ConfigError(
            'reduce_zero_label=True would make the background, class 0, unlabelled, and move all '
            'other classes by one; here class 0 is the background: remove it. Where masks have no '
            'background, write them with their classes from 1 on.')
    if options.get('ignore_index', IGNORE) != IGNORE:
        raise ConfigError(f'ignore_index={options["ignore_index"]}: pixels without a label are '
                          f'{IGNORE} in all masks here: remove it, and write such pixels as '
                          f'{IGNORE}.')
    if options.get('filter_cfg'):
        raise ConfigError(f'filter_cfg={options["filter_cfg"]} filters nothing, as in mmseg: '
                          'remove it, and the images from the list.')


def check_transforms(transforms, supervision):
    """Refuse transforms that would move an image away from its boxes.

    Args:
        transforms (Sequence): of a built pipeline, of data with boxes.
        supervision (str): for the message.

    Raises:
        ConfigError: one of mmseg's that moves the mask alone, also inside RandomApply and its like.
    """
    for transform in transforms:
        name = type(transform).__name__
        if type(transform).__module__.startswith('mmseg.') and name in _LEAVE_BOXES:
            other = _LEAVE_BOXES[name]
            raise ConfigError(
                f"mmseg's {name} moves the image and its mask, but not its boxes "
                f'(supervision={supervision!r}): '
                + (f'take {other}.' if other else 'remove it.'))
        inner = getattr(transform, 'transforms', ())  # a list, or a Compose with one
        check_transforms(getattr(inner, 'transforms', inner), supervision)
