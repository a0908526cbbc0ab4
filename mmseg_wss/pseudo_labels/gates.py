"""Gates: what an image's own labels exclude from dense labels that came from somewhere else.

A gate is a map of the classes that are possible at each pixel. It is the same for the predictions
of a network and for masks from files, for whole photographs and for crops.

Shapes: K classes, 0 the background, at H x W pixels.
"""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE


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


def gate_probabilities(probs, possible):
    r"""Share out the probability of impossible classes among the possible ones.

    .. math::
        p'_c = p_c \, [c \in P] \, / \sum_{d \in P} p_d

    Args:
        probs (Tensor): floating point (K, H, W).
        possible (Tensor): bool (K, H, W), P of each pixel.

    Returns:
        Tensor: (K, H, W), like `probs`; 1 where a single class is possible, else zeros where no
        possible class has any probability.
    """
    kept = torch.where(possible.sum(0) == 1, possible.to(probs.dtype), probs * possible)
    return kept / kept.sum(0).clamp(min=torch.finfo(probs.dtype).tiny)


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
