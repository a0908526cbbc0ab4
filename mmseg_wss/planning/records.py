"""What a plan consists of."""
from dataclasses import dataclass
from typing import NamedTuple, Optional

from mmseg_wss.planning.rules import FIGURES

WORDS = dict(pixel='masks', empty='nothing in them', box='boxes', scribble='scribbles',
             point='points', image='tags', none='no label')
DRAWN = 'box', 'scribble', 'point'  # what tells places, the richest first
TAUGHT = 'box', 'scribble', 'point', 'image'  # beside masks, a teacher makes their masks
HEADS = dict(single='one branch', dual='dual branch (DualBranchHead, one shared convolution)',
             mixed='mixed dual head (MixedDualHead, 7 masks to 1 weak image in the strong branch)',
             rrm='RRM (RRMHead)')


class Choice(NamedTuple):
    """A line of the plan."""
    what: str
    chosen: str
    reason: str
    figure: str  # a key of `FIGURES`, or '' where the reason says all


class Source(NamedTuple):
    """A training source: a list and where its masks come from."""
    kind: str  # of `DataFacts.images`
    number: int
    # 'proposals', 'teacher' or 'ensemble' (of teachers); None: its label is one
    masks: Optional[str] = None


@dataclass(frozen=True)
class NetworkPlan:
    """A network to train.

    Args:
        head (str): a key of `HEADS`.
        sources (tuple[Source]): the strong one first.
        ratio (tuple[int]): of the sources in a batch.
    """
    head: str
    sources: tuple
    ratio: tuple

    def kinds_with(self, masks):
        """Kinds of labels (list[str]) whose masks are of this origin (of a `Source`)."""
        return [source.kind for source in self.sources if source.masks == masks]

    @property
    def starts_from_teacher(self):
        """Whether it has a teacher and starts from its weights: where that was measured to pay."""
        return any(source.masks == 'ensemble' or (source.kind, source.masks) == ('box', 'teacher')
                   for source in self.sources)


@dataclass(frozen=True)
class Plan:
    """All that is chosen.

    Args:
        backbone (str): 'efflite0' or 'r50'.
        network (NetworkPlan): what is deployed.
        teacher (NetworkPlan, optional): what makes masks of weak images. Where images have no
            label, others are trained with other seeds (`MORE_TEACHERS`).
        judged (bool): the strong images choose which masks of the teacher are kept.
        proposals (str, optional): what makes masks of boxes without a network, alone or where the
            teacher is not sure: ``--method`` of tools/generate_proposals.py.
        scale, crop, batch, steps, val_interval (int): of each training.
        object_prob, repeat_threshold (float, optional): see docs/own_data.md.
        dice (bool): `DiceLoss` beside the cross entropy.
        choices (tuple[Choice]): what the user reads, in this order.
        warnings (tuple[str]): what to doubt.
        left_out (dict[str, int]): kind -> images for training that no network sees.
    """
    backbone: str
    network: NetworkPlan
    teacher: Optional[NetworkPlan]
    judged: bool
    proposals: Optional[str]
    scale: int
    crop: int
    batch: int
    steps: int
    val_interval: int
    object_prob: Optional[float]
    repeat_threshold: Optional[float]
    dice: bool
    choices: tuple
    warnings: tuple
    left_out: dict


def figure_text(choice):
    """What a choice rests on: the figure, and where it is written."""
    return ' ('.join(FIGURES[choice.figure]) + ')' if choice.figure else ''
