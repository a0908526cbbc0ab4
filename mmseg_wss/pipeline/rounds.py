"""Whether the masks of a round are better than those before, by what its judge wrote."""
import os.path as osp
from typing import NamedTuple

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.json_file import read_json
from mmseg_wss.pipeline.stage import PipelineError


class Compared(NamedTuple):
    """The worth of the masks before a round, and of its own."""
    before: float
    now: float

    @property
    def better(self):
        """Whether the round's own are worth more."""
        return self.now > self.before

    def __str__(self):
        return (f'the judge gives its masks a worth of {100 * self.now:.2f}, those before had '
                f'{100 * self.before:.2f}')


def compared(work_dir, before, now):
    """What two judges found, where both have.

    Args:
        work_dir (str, optional): the folder of the stages' folders.
        before, now (str): names of stages of tools/judge_masks.py. Both must have counted against
            the same networks (``--reference``), else their figures are none of one scale.

    Returns:
        Compared or None: None where one has not judged yet.

    Raises:
        PipelineError: a file is not what the judge writes.
    """
    paths = [osp.join(work_dir or '', name, 'judge.json') for name in (before, now)]
    if work_dir is None or not all(map(osp.isfile, paths)):
        return None
    return Compared(*map(_best_worth, paths))


def _best_worth(path):
    """The largest worth of each kind of label, their mean.

    Not that of the chosen masks: among those of about the same worth the choice goes by something
    else, which would be noise here.
    """
    try:
        best = {}
        for row in read_json(path)['rows']:
            worth = float('-inf') if row['worth'] is None else float(row['worth'])
            best[row['kind']] = max(worth, best.get(row['kind'], worth))
        return sum(best.values()) / len(best)
    except (DataError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise PipelineError(f'{path}: not what tools/judge_masks.py writes ({error!r}). Delete '
                            'its folder, and those of the stages after it, to judge again.'
                            ) from error
