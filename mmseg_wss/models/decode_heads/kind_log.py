"""What each kind of weak label does in a training, for its log."""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE

EPS = torch.finfo(torch.float32).eps


def label_sums(weak_logits, strong_logits, labels):
    """Sums over the labelled pixels of each image; a pixel has the logits of its nearest cell.

    Args:
        weak_logits, strong_logits (Tensor): (N, K, h, w), of both branches.
        labels (Tensor): int64 (N, H, W), 255 ignored.

    Returns:
        Tensor: float (N, 3): the weak branch's cross-entropy, how often the strong branch predicts
        the label, and the number of labelled pixels.
    """
    (h, w), (height, width) = weak_logits.shape[-2:], labels.shape[-2:]
    rows = torch.arange(height, device=labels.device) * h // height
    columns = torch.arange(width, device=labels.device) * w // width
    cells = (rows[:, None] * w + columns).expand_as(labels).flatten(1)
    known = labels.flatten(1) != IGNORE
    wanted = labels.flatten(1).masked_fill(~known, 0)
    log_probs = weak_logits.float().log_softmax(1).flatten(1).gather(1, wanted * (h * w) + cells)
    right = strong_logits.argmax(1).flatten(1).gather(1, cells) == wanted
    return torch.stack([-(log_probs * known).sum(1), (right & known).sum(1), known.sum(1)], 1)


class KindLog:
    """Sums of `label_sums` by kind of label, of which older ones count less.

    Args:
        decay (float): of the old sums when new ones are added, in [0, 1).
    """

    def __init__(self, decay=0.9):
        self.decay = decay
        self._sums = {}

    def add(self, kinds, sums):
        """Add a batch: the kind of each of N images (list[str]), and their sums (N, 3)."""
        self._sums = {kind: self.decay * old for kind, old in self._sums.items()}
        for kind, new in zip(kinds, sums.float()):
            self._sums[kind] = self._sums.get(kind, 0) + new

    def values(self):
        """For each kind so far: ``share.KIND``, its percentage of the weak branch's cross-entropy,
        and ``agree.KIND``, the percentage of its labelled pixels where the strong branch agrees.

        Returns:
            dict[str, Tensor]: scalars; empty where there are less than two kinds.
        """
        if len(self._sums) < 2:
            return {}
        total = sum(loss for loss, _, _ in self._sums.values()).clamp_min(EPS)
        values = {}
        for kind, (loss, right, labelled) in sorted(self._sums.items()):
            values[f'share.{kind}'] = 100 * loss / total
            values[f'agree.{kind}'] = 100 * right / labelled.clamp_min(EPS)
        return values
