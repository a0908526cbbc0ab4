"""Labels for the pixels whose class activation maps (CAMs) can be trusted (RRM)."""
import numpy as np
import torch

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.ops import DenseCRF
from mmseg_wss.ops.dense_crf import BACKENDS
from mmseg_wss.pseudo_labels.mining_rules import cam_rule, paper_rule, released_rule
from mmseg_wss.pseudo_labels.valid_rectangles import valid_rectangles

CRF_RULES = {'released': released_rule, 'paper': paper_rule}
RULES = (*CRF_RULES, 'cam')
ROUNDING = 1e-3  # how far above 1 a normalised CAM may be after it was resized or kept in half


def reliable_labels(image, cams, tags, rule='released', ratio=0.4, backend='torch',
                    valid=None):
    """Label the pixels of an image whose activation maps can be trusted (RRM, eq. 4 to 7).

    It is `mine_labels` for one image in NumPy.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        cams (np.ndarray): float (K - 1, H, W) in 0..1.
        tags (np.ndarray): (K - 1,), 0 or 1.
        rule, ratio, backend: see `mine_labels`.
        valid (np.ndarray, optional): bool (H, W), False on padding.

    Returns:
        np.ndarray: uint8 (H, W), 0 to K - 1, or 255 where not reliable.

    Raises:
        ValueError: see `mine_labels`.
    """
    if np.ndim(image) != 3 or np.shape(image)[2] != 3:
        raise ValueError(f'image must be (H, W, 3), RGB; got shape {np.shape(image)}.')
    image = np.moveaxis(np.asarray(image), 2, 0)
    return _mine_one(image, cams, tags, valid, rule, ratio, backend)


def cam_labels(cams, tags, ratio=0.4, valid=None):
    """Labels by the CAMs of one image alone (`cam_rule`): the baseline "CAM" of RRM's table 2.

    Arguments, result and errors: see `reliable_labels`.
    """
    return _mine_one(None, cams, tags, valid, 'cam', ratio)


@torch.no_grad()
def mine_labels(images, cams, tags, valid=None, rule='released', ratio=0.4, backend='torch'):
    """Label the pixels of a batch that are reliable, and those alone (RRM, eq. 4 to 7).

    An image without any tag is background all over, as its tags say and as every rule gives with
    CAMs of 0. (Where tags are not known, do not mine.)

    Args:
        images (Tensor): (N, 3, H, W), RGB in 0..255; rule 'cam' does not read them.
        cams (Tensor): float (N, K - 1, H, W) in 0..1: those of the image's classes, each divided by
            its maximum (eq. 3); those of other classes are not read.
        tags (Tensor): (N, K - 1), 1 for a class that is in the image and 0 for others.
        valid (Tensor, optional): (N, H, W), 1 inside the image and 0 on padding, which is not
            labelled, not counted and not read. The CRF sees the smallest rectangle around the valid
            pixels, so that an image has the same labels with padding and without.
        rule (str): 'released' (see `released_rule`), 'paper' (`paper_rule`), or 'cam' (`cam_rule`,
            which needs no CRF).
        ratio (float): share of the pixels that the CAM is sure of, in (0, 1]; see the rules.
        backend (str): see `dense_crf`.

    Returns:
        Tensor: int64 (N, H, W), 0 to K - 1, or 255 where not reliable; on the device of `cams`.

    Raises:
        ValueError: an unknown rule or backend, a ratio outside (0, 1], shapes that do not agree,
            values out of range or NaN.
    """
    check_options(rule, ratio, backend)
    _check_shapes(images, cams, tags, valid, rule)
    valid = torch.ones_like(cams[:, 0], dtype=torch.bool) if valid is None else valid.bool()
    if rule != 'cam':
        images = images.float().masked_fill(~valid[:, None], 0)
    cams, classes, present = _own_cams(cams, tags, valid)

    labels = torch.full_like(valid, IGNORE, dtype=torch.long)
    for members, rows, columns in valid_rectangles(valid):
        place = members, rows, columns
        maps = members, slice(None), rows, columns
        if rule == 'cam':
            labels[place] = cam_rule(cams[maps], valid[place], ratio)
        else:
            crf = DenseCRF(images[maps], backend=backend)
            labels[place] = CRF_RULES[rule](
                cams[maps], present[members], valid[place], ratio, crf)
    return _name_channels(labels, classes)


def check_options(rule='released', ratio=0.4, backend='torch'):
    """Raise ValueError unless these are options of `mine_labels`."""
    if rule not in RULES:
        raise ValueError(f'rule must be one of {", ".join(RULES)}; got {rule!r}.')
    if not 0 < ratio <= 1:
        raise ValueError(f'ratio must lie in (0, 1]; got {ratio}.')
    if backend not in BACKENDS:
        raise ValueError(f'backend must be one of {", ".join(BACKENDS)}; got {backend!r}.')


def _mine_one(image, cams, tags, valid, *options):
    batch = [None if array is None else torch.as_tensor(np.array(array))[None]
             for array in (image, cams, tags, valid)]
    return mine_labels(*batch, *options)[0].numpy().astype(np.uint8)


def _own_cams(cams, tags, valid):
    """The CAMs of each image's own classes, as the channels that the rules work on.

    Returns:
        tuple: CAMs, float32 (N, C, H, W), 0 on padding, for C the most classes that any image has
        (1 at least); the classes they are of, int64 (N, C), 0 to K - 2; and bool (N, C), False for
        a channel that is left over, whose CAM is 0.
    """
    if not ((tags == 0) | (tags == 1)).all():
        raise ValueError(f'tags must be 0 or 1; got {sorted(set(tags.flatten().tolist()))}.')
    present, classes = tags.bool().sort(dim=1, descending=True, stable=True)
    most = max(1, int(present.sum(1).max()))
    present, classes = present[:, :most], classes[:, :most]
    batch = torch.arange(len(cams), device=cams.device)[:, None]
    read = present[..., None, None] & valid[:, None]
    cams = cams[batch, classes].float().masked_fill(~read, 0)
    lowest, highest = cams.amin(), cams.amax()
    if not (lowest >= 0 and highest <= 1 + ROUNDING):  # NaN fails the comparison
        raise ValueError(f'cams must lie in 0..1; got values in {lowest:.4g}..{highest:.4g}. '
                         'Divide the CAM of each class by its maximum.')
    return cams.clamp(max=1), classes, present


def _name_channels(labels, classes):
    """Turn channels, int64 (N, H, W), into classes of the data set; 255 stays."""
    names = torch.full((len(labels), 256), IGNORE, device=labels.device)
    names[:, 0] = 0
    names[:, 1:1 + classes.shape[1]] = classes + 1
    return names.gather(1, labels.flatten(1)).view_as(labels)


def _check_shapes(images, cams, tags, valid, rule):
    if cams.dim() != 4 or not 1 <= cams.shape[1] <= 254 or not cams.numel():
        raise ValueError('cams must be (N, K - 1, H, W), for 1 to 254 classes besides the '
                         f'background; got shape {tuple(cams.shape)}.')
    number, classes, height, width = cams.shape
    expected = dict(tags=(number, classes))
    if rule != 'cam':
        expected['images'] = number, 3, height, width
    if valid is not None:
        expected['valid'] = number, height, width
    for name, shape in expected.items():
        got = tuple({'images': images, 'tags': tags, 'valid': valid}[name].shape)
        if got != shape:
            hint = ' Tags are without the background.' if name == 'tags' else ''
            raise ValueError(f'{name} must have shape {shape}, to match cams {tuple(cams.shape)}; '
                             f'got {got}.{hint}')
