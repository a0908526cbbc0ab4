"""The validation curves of trainings, from their logs."""
import json
import os.path as osp
from glob import escape, glob
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmseg_wss.errors import DataError
from mmseg_wss.utils.fileio import atomic_path


def read_curve(work_dir, metric='mIoU'):
    """Validation results of a training, over all its starts.

    Args:
        work_dir (str): of the training.
        metric (str): name of a metric in the log.

    Returns:
        dict[int, dict]: step -> the logged metrics, in the order of the steps; the last start's
        where a step was validated twice.

    Raises:
        DataError: a log has a line that is no entry, or whose step or metric is no number.
    """
    curve = {}
    for path in sorted(glob(osp.join(escape(work_dir), '*', 'vis_data', 'scalars.json'))):
        # without a line break at its end, the last line is a part: the run was killed
        for number, line in enumerate(Path(path).read_bytes().split(b'\n')[:-1], 1):
            try:
                entry = dict(json.loads(line))
                if metric in entry:
                    if type(entry['step']) is not int or type(entry[metric]) not in (int, float):
                        raise TypeError(f'step and {metric} must be numbers')
                    curve[entry['step']] = entry
            except (KeyError, RecursionError, TypeError, ValueError) as error:
                raise DataError(f'{path}: line {number} is no entry of a training log ({error!r}). '
                                'Remove the line; its validation is then left out.') from error
    return dict(sorted(curve.items()))


def late_gain(curve, metric):
    """Mean of the last third of a curve minus the mean of the third before it."""
    values = [entry[metric] for entry in curve.values()]
    third = max(1, len(values) // 3)
    late, before = values[-third:], values[-2 * third:-third]
    return sum(late) / len(late) - sum(before) / len(before) if before else float('nan')


def plot_curves(path, curves, metric):
    """Draw the curves of several trainings into a PNG.

    Args:
        path (str | Path): the file.
        curves (dict[str, dict]): name of a training -> its curve (`read_curve`).
        metric (str): what is drawn over the steps.
    """
    figure = Figure(figsize=(7, 4.5 + 0.17 * len(curves)), layout='constrained')
    axis = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        axis.plot(list(curve), [entry[metric] for entry in curve.values()], marker='.', label=name,
                  linestyle=('-', '--', ':')[number // 10 % 3])  # colours repeat after ten
    axis.set(xlabel='step', ylabel=f'val {metric}')
    axis.grid(alpha=0.3)
    figure.legend(loc='outside lower left', fontsize=8)  # names are long, and curves are many
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
