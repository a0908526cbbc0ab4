"""Gates: what an image's own labels say of dense labels that came from somewhere else.

A gate is a map of the classes that are possible at each pixel. It is the same for the predictions
of a network and for masks from files, for whole photographs and for crops. That a class which the
labels name is somewhere in the image is known, too, and lifts what a network hardly dares to say.

Shapes: K classes, 0 the background, at H x W pixels.
"""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE

# what an object covers at least of where it may be: of the image (as in WSSL's EM-Adapt), of a box
TAGGED_SHARE, BOXED_SHARE = 0.2, 0.5
_LEAST_BELIEF = 1e-3  # a class that the network sees nowhere is not made up


def possible_classes(shape, num_classes, tags=None, boxes=None, box_labels=None, clicks=None):
    r"""Which classes an image's labels leave possible at each pixel.

    - Tags: a class that the image does not have is possible nowhere. Tags without an object say
      that the whole image is background.
    - Boxes: a class is possible inside its boxes alone, so that a pixel in no box is background. No
      boxes say that the whole image is background.
    - Clicks, points and scribbles: such a pixel has its class, whatever the others say.

    The background is possible wherever nobody has clicked on an object. What is None excludes
    nothing.

    Args:
        shape (tuple): (H, W).
        num_classes (int): K.
        tags (Tensor, optional): (K,), nonzero for a class that is in the image.
        boxes (Tensor, optional): (M, 4), (x1, y1, x2, y2) in pixels, half-open; a pixel belongs to
            a box when its centre does.
        box_labels (Tensor, optional): integer (M,), the classes of the boxes.
        clicks (Tensor, optional): integer (H, W), class indices, 255 where nobody has clicked.

    Returns:
        Tensor: bool (K, H, W), on the device of the labels.
    """
    device = next((label.device for label in (tags, boxes, clicks) if label is not None), None)
    classes = torch.arange(num_classes, device=device)[:, None, None]
    possible = torch.ones(num_classes, *shape, dtype=torch.bool, device=device)
    if tags is not None:
        possible &= tags.bool()[:, None, None]
    if boxes is not None:
        possible &= _class_regions(shape, num_classes, boxes, box_labels)
    possible |= classes == 0
    if clicks is not None:
        possible = torch.where(clicks == IGNORE, possible, classes == clicks)
    return possible


def _class_regions(shape, num_classes, boxes, labels):
    """The pixels of all boxes of each class, bool (K, H, W); no value is read from a GPU."""
    x1, y1, x2, y2 = boxes[..., None].unbind(1)
    columns = torch.arange(shape[1], device=boxes.device) + 0.5
    rows = torch.arange(shape[0], device=boxes.device) + 0.5
    inside = (((y1 <= rows) & (rows < y2))[:, :, None]
              & ((x1 <= columns) & (columns < x2))[:, None])
    counts = torch.zeros(num_classes, *shape, dtype=torch.int32, device=boxes.device)
    return counts.index_add_(0, labels.long(), inside.int()) > 0


def label_gates(shape, num_classes, tags=None, boxes=None, box_labels=None, clicks=None):
    """What an image's labels say: which classes are possible where, and which it has for sure.

    Args:
        shape, num_classes, tags, boxes, box_labels, clicks: see `possible_classes`.

    Returns:
        tuple: bool (K, H, W), of `possible_classes`, None without any label; and float (K,), the
        share that each class of the tags and boxes should cover of where it is possible, 0 for
        the background and other classes, None without tags and boxes.
    """
    if tags is None and boxes is None and clicks is None:
        return None, None
    possible = possible_classes(shape, num_classes, tags, boxes, box_labels, clicks)
    if tags is None and boxes is None:
        return possible, None
    present = torch.zeros(num_classes, device=possible.device)
    if tags is not None:
        present[tags.bool()] = TAGGED_SHARE
    if boxes is not None:
        present[box_labels.long()] = BOXED_SHARE
    present[0] = 0
    return possible, present


def gate_probabilities(probs, possible, present=None):
    r"""The probabilities of the classes, given what the image's labels say.

    .. math::
        p'_c = \frac{p_c \, [c \in P] / q_c}{\sum_{d \in P} p_d / q_d}, \qquad
        q_c = \mathrm{mean \; of \; the \; largest \;} p_c \mathrm{\; where \;} c \in P

    Impossible classes leave, and their probability is shared out among the possible ones. With
    `present`, Bayes' rule is also applied to the other half of a label: a pixel can be of class c
    only if the image has it, so given that it has, :math:`p_c` is to be divided by the probability
    that it has. The network's own is taken for it: q, the mean of its largest probabilities, at so
    many pixels as an object should cover. So a
    class that the network suspects faintly, but in one place, is found there. Other classes and the
    background have q = 1.

    Args:
        probs (Tensor): floating point (K, H, W).
        possible (Tensor): bool (K, H, W), P of each pixel.
        present (Tensor, optional): float (K,), of the pixels where a class is possible, the share
            of those in the mean; 0 for classes that the image may lack (`label_gates`).

    Returns:
        Tensor: (K, H, W), like `probs`; 1 where a single class is possible, else zeros where no
        possible class has any probability.
    """
    kept = probs * possible
    if present is not None:
        kept = kept / _beliefs(kept, possible, present)[:, None, None]
    kept = torch.where(possible.sum(0) == 1, possible.to(probs.dtype), kept)
    return kept / kept.sum(0).clamp(min=torch.finfo(probs.dtype).tiny)


def _beliefs(probs, possible, present):
    """q of each class, (K,)."""
    beliefs = torch.ones(len(probs), dtype=probs.dtype, device=probs.device)
    for number, share in enumerate(present.tolist()):
        values = probs[number][possible[number]] if share else ()
        if len(values):
            largest = values.topk(max(1, int(share * len(values)))).values
            beliefs[number] = largest.mean().clamp(min=_LEAST_BELIEF)
    return beliefs


def gate_labels(labels, possible):
    """Keep labels that are possible; where one class alone is, set it.

    Args:
        labels (Tensor): uint8 (H, W), class indices and 255.
        possible (Tensor): bool (K, H, W).

    Returns:
        Tensor: uint8 (H, W), a new tensor; an impossible label becomes 255.
    """
    own = labels.long().clamp(max=len(possible) - 1)
    kept = possible.gather(0, own[None])[0] & (labels < len(possible))
    only = possible.byte().argmax(0).to(torch.uint8)
    return torch.where(possible.sum(0) == 1, only, labels.masked_fill(~kept, IGNORE))
