"""The validation curve of a training, from its log."""
import json
import os.path as osp
from glob import escape, glob


def read_curve(work_dir, metric='mIoU'):
    """Validation results of a training, over all its starts.

    Args:
        work_dir (str): of the training.
        metric (str): name of a metric in the log.

    Returns:
        dict[int, dict]: step -> the logged metrics, in the order of the steps; the last start's
        where a step was validated twice.
    """
    curve = {}
    for path in sorted(glob(osp.join(escape(work_dir), '*', 'vis_data', 'scalars.json'))):
        with open(path) as file:
            for line in file:
                if not line.endswith('\n'):
                    break  # a run that was killed may leave half a line
                entry = json.loads(line)
                if metric in entry:
                    curve[entry['step']] = entry
    return dict(sorted(curve.items()))
