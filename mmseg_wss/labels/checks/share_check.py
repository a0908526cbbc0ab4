"""What the labels of a list hold all together, and what of it teaches nothing or teaches wrong."""
from collections import Counter

from mmseg_wss.errors import abridged
from mmseg_wss.labels.checks.label_check import IGNORE

MANY = 0.2  # share of a list's masks; networks miss some objects, and people some boxes
FEW_LABELLED = 0.01  # share of the pixels


def share_warnings(facts, is_made=False, is_partial=False):
    """List what is strange about the masks of a list, though each of them may be right.

    Args:
        facts (Sequence[LabelFacts]): of the images; of those without a mask it only counts whether
            any has an object.
        is_made (bool): a program made the masks. Those of images that are known to be empty hold no
            object rightly.
        is_partial (bool): the masks are points or scribbles, so few pixels are labelled.

    Returns:
        list[str]: one sentence a warning.
    """
    masks = [fact for fact in facts if fact.pixels]
    if not masks:
        return _all_empty(facts)
    pixels = _total_pixels(masks)
    void = [fact.path for fact in masks if not fact.is_labelled]
    empty = [fact.path for fact in masks if fact.is_labelled and not fact.has_objects]
    if is_made and len(empty) < len(masks):
        known = {fact.path for fact in masks if fact.known_empty}
        empty = [path for path in empty if path not in known]
    compared = [fact for fact in masks if fact.contradicts is not None]
    foreign = [fact.path for fact in compared if fact.contradicts]
    labelled = 1 - pixels[IGNORE] / sum(pixels.values())
    warnings = []
    if void:
        warnings.append(
            f'{len(void)} of {len(masks)} masks are 255 ("ignored") all over, so they count for '
            f'nothing: {abridged(void, 3)}. Label them, or remove the images from the list.')
    if not is_partial and 0 < labelled < FEW_LABELLED:
        warnings.append(f'only {labelled:.2%} of the pixels are labelled, the rest is 255 '
                        '("ignored"). See how the masks were made.')
    if not is_made and not is_partial and not pixels[0] and len(void) < len(masks):
        warnings.append(
            f'none of {len(masks)} masks has a pixel of the background, class 0, so a network '
            'learns that there is none. Write 0 where no object is; 255 means "ignored".')
    if empty and len(empty) >= (MANY * len(masks) if is_made else len(masks)):
        warnings.append(
            f'{len(empty)} of {len(masks)} masks hold no object, only background: '
            f'{abridged(empty, 3)}. A network learns from them that there are no objects: see how '
            'the masks were made.')
    if foreign and len(foreign) >= MANY * len(compared):
        warnings.append(
            f'{len(foreign)} of {len(compared)} masks contradict the boxes of their images (other '
            f'classes, or most object pixels outside the boxes): {abridged(foreign, 3)}. See '
            'whether the masks or boxes are named after other images, and whether both mean the '
            'same classes.')
    return warnings


def _all_empty(facts):
    if not facts or not all(fact.known_empty for fact in facts):
        return []
    return [f'none of the labels of {len(facts)} images has an object, so all of them are '
            f'background: {abridged([fact.path for fact in facts], 3)}. A network learns from them '
            "that there are no objects. If they are unlabelled, set supervision='none' or "
            "empty='unlabelled'."]


def unlabelled_fault(names):
    """What to say of the lists, which the best checkpoint is chosen by, without a labelled pixel.

    Args:
        names (Sequence[str]): of the lists of the validation.
    """
    return (f'{abridged(names)}: no image has a mask with a pixel other than 255 ("ignored"), so '
            'mIoU would be NaN, and no checkpoint the best. Give the list images with true masks, '
            'or set val_dataloader, val_cfg and val_evaluator to None.')


def share_table(columns, classes):
    """The share of each class in lists that have the same classes.

    Args:
        columns (dict[str, Sequence[LabelFacts]]): title of a list -> facts of its images.
        classes (Sequence[str]): class names, background first.

    Returns:
        list[str]: lines of a table, a row a class. Of lists with masks it has shares of the pixels,
        of others shares of the images, in percent.
    """
    shares = [_shares(facts, classes) for facts in columns.values()]
    rows = [['class', *columns], ['% of', *(unit for unit, _ in shares)]]
    for label, name in [*enumerate(classes), (IGNORE, '(ignored)')]:
        rows.append([f'{label} {name}', *(_percent(share.get(label)) for _, share in shares)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ['  '.join([row[0].ljust(widths[0]), *(
        cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip() for row in rows]


def _total_pixels(masks):
    total = Counter()
    for fact in masks:
        total.update(fact.pixels)
    return total


def _shares(facts, classes):
    """Of what the shares are, and label -> share, 0..1."""
    pixels = _total_pixels(facts)
    if pixels:
        total = sum(pixels.values())
        return 'pixels', {label: number / total for label, number in pixels.items()}
    images = Counter(name for fact in facts for name in fact.seen)
    return 'images', {label: images[name] / len(facts)
                      for label, name in enumerate(classes) if images[name]}


def _percent(share):
    if not share:
        return '-'
    return '<0.01' if share < 0.5e-4 else f'{100 * share:.2f}'
