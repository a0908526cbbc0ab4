"""The rules by which class activation maps (CAMs) become labels: RRM's code, its paper, no CRF.

Shapes: N images of H x W pixels. The rules work on channels: 0 is the background, 1 to C are the
classes of each image, so that a CRF has few. Where an image has fewer than C, its other CAMs are 0.
"""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE

GAMMA = 4               # decay of the background in the paper, and in the code's first CRF
STRICT_GAMMA = 32       # and in the code's second CRF and its CAM labels
CAM_FLOOR = 0.1         # the rest is what the released code is sure above
BACKGROUND_SURE = 0.8
CRF_SURE = 0.8
UNARY_FLOOR = 1e-5      # to which the released code clips what it gives the CRF


def with_background(cams, gamma):
    """Put the background's score, (1 - max over c of cam_c)^gamma (RRM, eq. 4), in front.

    Args:
        cams (Tensor): float (N, C, H, W) in 0..1.
        gamma (float): decay; the larger, the less background.

    Returns:
        Tensor: (N, 1 + C, H, W); the channels do not sum to 1.
    """
    return torch.cat(((1 - cams.amax(1, keepdim=True)) ** gamma, cams), 1)


def released_rule(cams, present, valid, ratio, crf):
    """The labels of RRM's released code.

    1. The CAM label of a pixel is the argmax of the CAMs and of the background at gamma 32.
    2. Two CRFs start from the CAMs and the background at gamma 4 and 32. A pixel is background
       where the second says so, and else what the first says, if that is a class.
    3. That label stands where both are sure:
       - the CAM, of any class: of class c where c is the CAM label and cam_c is strictly above a
         threshold, the one at position floor((1 - ratio) n) of the sorted cam_c of the n pixels
         with that CAM label and cam_c > 0.1; of the background where its score is above 0.8. A
         class that the first CRF gives to no pixel is not asked;
       - the CRFs: the second gives the background, or the first some class, a probability of at
         least 0.8.

    The released code stops with an error where the first CRF finds a class that is no CAM label
    (n = 0); here the CAM is then sure of that class nowhere.

    Args:
        cams (Tensor): float (N, C, H, W) in 0..1.
        present (Tensor): bool (N, C), the channels that are a class of the image.
        valid (Tensor): bool (N, H, W); no other pixel is labelled or counted.
        ratio (float): in (0, 1].
        crf (callable): (N, 1 + C, H, W) or (N, S, 1 + C, H, W), not normalised -> marginals.

    Returns:
        Tensor: int64 (N, H, W), channels, or 255.
    """
    scores = with_background(cams, STRICT_GAMMA)
    first, second = crf(torch.stack((
        _unary(with_background(cams, GAMMA), present), _unary(scores, present)), 1)).unbind(1)
    first_label, second_label = first.argmax(1), second.argmax(1)

    own = _one_hot(scores.argmax(1), scores.shape[1], valid)
    counted = own[:, 1:] & (cams > CAM_FLOOR)
    thresholds = torch.cat((
        torch.full_like(cams[:, :1, :1, :1], BACKGROUND_SURE),
        _sorted_value(cams, counted, ((1 - ratio) * _count(counted)).floor())), 1)
    asked = _count(_one_hot(first_label, scores.shape[1], valid)) > 0
    cam_sure = (own & asked & (scores > thresholds)).any(1)
    crf_sure = torch.cat((second[:, :1], first[:, 1:]), 1).amax(1) >= CRF_SURE

    label = first_label.masked_fill(first_label == 0, IGNORE).masked_fill(second_label == 0, 0)
    return label.masked_fill(~(cam_sure & crf_sure), IGNORE)


def cam_rule(cams, valid, ratio):
    """The best pixels of each class by the CAMs alone (RRM, eq. 4 and 6; "CAM" of its table 2).

    A pixel's class is the argmax of the CAMs and of the background at gamma 4. Of the n pixels of
    each class, background included, those that score at least as high as the one ranked
    ceil(ratio n) are labelled: eq. 6 with an alpha for each class. Equal scores are labelled
    together, so a class may get more than its ratio: CAMs are often exactly 0 on much background.

    Args:
        cams (Tensor): float (N, C, H, W) in 0..1.
        valid (Tensor): bool (N, H, W); no other pixel is labelled or counted.
        ratio (float): in (0, 1].

    Returns:
        Tensor: int64 (N, H, W), channels, or 255.
    """
    scores = with_background(cams, GAMMA)
    label = scores.argmax(1)
    own = _one_hot(label, scores.shape[1], valid)
    number = _count(own)
    alpha = _sorted_value(scores, own, number - (ratio * number).ceil())
    return label.masked_fill(~(own & (scores >= alpha)).any(1), IGNORE)


def paper_rule(cams, present, valid, ratio, crf):
    """The labels of RRM's equations 4 to 7: those of `cam_rule` that the CRF agrees with.

    The CRF (eq. 5) starts from the same scores. Arguments and result: see `released_rule`.
    """
    label = cam_rule(cams, valid, ratio)
    marginals = crf(_unary(with_background(cams, GAMMA), present))
    return label.masked_fill(label != marginals.argmax(1), IGNORE)


def _unary(scores, present):
    """What the CRF takes the logarithm of: channels that are no class of the image stay 0."""
    exists = torch.cat((torch.ones_like(present[:, :1]), present), 1)
    return scores.clamp(min=UNARY_FLOOR) * exists[..., None, None]


def _one_hot(label, number, valid):
    """bool (N, C, H, W): the valid pixels of each channel."""
    channels = torch.arange(number, device=label.device)[:, None, None]
    return (label[:, None] == channels) & valid[:, None]


def _count(members):
    """Pixels of each channel, (N, C, 1, 1); float64, in which products are those of Python."""
    return members.sum((2, 3), keepdim=True).double()


def _sorted_value(scores, members, position):
    """The score at a position of the ascending order of each channel's members.

    Args:
        scores (Tensor): (N, C, H, W).
        members (Tensor): bool (N, C, H, W).
        position (Tensor): whole numbers (N, C, 1, 1), held within the members.

    Returns:
        Tensor: (N, C, 1, 1); infinite without members.
    """
    ordered = scores.masked_fill(~members, -torch.inf).flatten(2).sort(2).values
    number = members.flatten(2).sum(2, keepdim=True)
    below_the_top = (number - 1 - position.flatten(2).long()).clamp(min=0)
    values = ordered.gather(2, ordered.shape[2] - 1 - below_the_top)
    return values.masked_fill(number == 0, torch.inf)[..., None]
