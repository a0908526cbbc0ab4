"""From an image and its boxes to a proposal mask, by the name of a method."""
import numpy as np

from mmseg_wss.proposals.bbox_seg import bbox_seg_masks
from mmseg_wss.proposals.fusion import fuse_masks, paste_masks
from mmseg_wss.proposals.grabcut import grabcut_masks
from mmseg_wss.proposals.rect import rect_masks


def _rect(image, boxes, labels, mcg_path, **options):
    return rect_masks(boxes, image.shape[:2], **options)


def _grabcut(image, boxes, labels, mcg_path, **options):
    return grabcut_masks(image, boxes, **options)


def _region(image, boxes, labels, mcg_path, **options):
    from mmseg_wss.proposals.region import region_masks  # needs higra, which may be absent
    return region_masks(image, boxes, **options)


def _mcg(image, boxes, labels, mcg_path, **options):
    from mmseg_wss.proposals.mcg import mcg_masks  # here: SciPy's reader takes long to load
    return mcg_masks(mcg_path, boxes, image.shape[:2], **options)


def _bbox_seg(image, boxes, labels, mcg_path, **options):
    return bbox_seg_masks(image, boxes, labels, **options)


def _sam(image, boxes, labels, mcg_path, **options):
    from mmseg_wss.proposals.sam import sam_masks  # needs transformers, which may be absent
    return sam_masks(image, boxes, **options)


# name -> function of image (H, W, 3), boxes (M, 4), labels (M,), the image's MCG file and options;
# it returns the masks of the M objects, see `fuse_masks`
METHODS = dict(rect=_rect, grabcut=_grabcut, region=_region, mcg=_mcg, bbox_seg=_bbox_seg, sam=_sam)


def parse_method(method, options=None):
    """Check the name of a method, and options for it, before any image is read.

    Args:
        method (str): one name of `METHODS`, or several joined by '+', such as 'grabcut+region'.
        options (dict, optional): as for `propose`.

    Returns:
        tuple[str]: the names in `method`.

    Raises:
        ValueError: an unknown name, a name twice, or options of a name that is not in `method`.
    """
    names = tuple(method.split('+'))
    known = f'the methods are {", ".join(METHODS)}, or several of them joined by "+"'
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise ValueError(f'unknown proposal method {unknown[0]!r} in {method!r}; {known}.')
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f'{method!r} names {twice[0]!r} twice; {known}, each once.')
    unused = [name for name in options or {} if name not in names]
    if unused:
        raise ValueError(f'there are options for {unused[0]!r}, which is not in {method!r}: remove '
                         f'them, or add the method; {known}.')
    return names


def propose(image, boxes, labels, method='grabcut+region', options=None, mcg_path=None):
    """Make the proposal mask of an image (mixed-dual-head paper, section 3.1).

    Each method gives a mask for every object; several are fused (`fuse_masks`: pixels they differ
    on are ignored); the objects are laid over one another (`paste_masks`).

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open; M may be 0.
        labels (np.ndarray): int (M,), class indices, 1..254.
        method (str): names of `METHODS` joined by '+': 'rect' (the box), 'grabcut', 'region' (the
            best region of a segmentation hierarchy), 'mcg' (the best of precomputed MCG proposals),
            'bbox_seg' (WSSL's dense CRF), 'sam' (a promptable segmenter).
        options (dict, optional): name -> keyword arguments of ``NAME_masks``, such as
            ``{'region': {'select': 'strict'}}``; 'sam' needs ``{'sam': {'model': DIR}}``.
        mcg_path (str, optional): the proposals of this image, for 'mcg' and for it only.

    Returns:
        np.ndarray: uint8 (H, W), class indices, 255 ignored.

    Raises:
        ValueError: see `parse_method`; arrays of wrong shapes or types; `mcg_path` without 'mcg',
            or 'mcg' without it; 'sam' without a model.
    """
    names = parse_method(method, options)
    if ('mcg' in names) != (mcg_path is not None):
        raise ValueError(f"mcg_path goes with the method 'mcg', one needs the other; got method "
                         f'{method!r} and mcg_path {mcg_path!r}.')
    if 'sam' in names and 'model' not in (options or {}).get('sam', {}):
        raise ValueError("the method 'sam' needs a model: options={'sam': {'model': DIR}}, "
                         'a folder with a segmenter of transformers.')
    boxes, labels = np.asarray(boxes), np.asarray(labels)
    _check_arrays(image, boxes, labels)
    shape = image.shape[:2]
    if not len(labels):
        return np.zeros(shape, np.uint8)
    sources = [METHODS[name](image, boxes, labels, mcg_path, **(options or {}).get(name, {}))
               for name in names]
    return paste_masks(fuse_masks(sources), labels, shape)


def _check_arrays(image, boxes, labels):
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'image must be uint8 (H, W, 3), RGB; got {image.dtype} of shape '
                         f'{image.shape}.')
    if labels.ndim != 1 or boxes.shape != (len(labels), 4):
        raise ValueError('boxes must be (M, 4) and labels (M,), one each for every object; got '
                         f'shapes {boxes.shape} and {labels.shape}.')
