"""The validation curves of trainings, from their logs."""
import json
import os.path as osp
from glob import escape, glob
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmseg_wss.errors import DataError
from mmseg_wss.utils.fileio import atomic_path


def read_log(work_dir):
    """The entries of a training's log, over all its starts.

    Args:
        work_dir (str): of the training.

    Yields:
        tuple[str, dict]: where an entry stands, for messages, and the entry.

    Raises:
        DataError: a line is no entry.
    """
    for path in sorted(glob(osp.join(escape(work_dir), '*', 'vis_data', 'scalars.json'))):
        # without a line break at its end, the last line is a part: the run was killed
        for number, line in enumerate(Path(path).read_bytes().split(b'\n')[:-1], 1):
            place = f'{path}: line {number}'
            try:
                entry = dict(json.loads(line))
            except (RecursionError, TypeError, ValueError) as error:
                raise _no_entry(place, error) from error
            yield place, entry


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
    for place, entry in read_log(work_dir):
        if metric in entry:
            if type(entry.get('step')) is not int or type(entry[metric]) not in (int, float):
                raise _no_entry(place, f'step and {metric} must be numbers')
            curve[entry['step']] = entry
    return dict(sorted(curve.items()))


def _no_entry(place, reason):
    return DataError(f'{place} is no entry of a training log ({reason}). Remove the line; its '
                     'validation is then left out.')


def late_gain(curve, metric):
    """Mean of the last third of a curve minus the mean of the third before it."""
    values = [entry[metric] for entry in curve.values()]
    third = max(1, len(values) // 3)
    late, before = values[-third:], values[-2 * third:-third]
    return sum(late) / len(late) - sum(before) / len(before) if before else float('nan')


def mean_curve(curves, metric):
    """Mean, least and largest value of several curves, at the steps that all of them have.

    Args:
        curves (Sequence[dict]): step -> scores, see `read_curve`.
        metric (str): which of them.

    Returns:
        tuple[list, list, list, list]: steps, means, minima, maxima.
    """
    steps = sorted(set.intersection(*map(set, curves)))
    values = [[curve[step][metric] for curve in curves] for step in steps]
    return (steps, [sum(row) / len(row) for row in values], list(map(min, values)),
            list(map(max, values)))


def plot_curves(path, curves, metric):
    """Draw the curves of several trainings into a PNG.

    Where a training has several seeds: their mean, the band from the least to the largest, and a
    thin line for each of them.

    Args:
        path (str | Path): the file.
        curves (dict[str, list[dict]]): name of a training -> the curve of each seed (`read_curve`).
        metric (str): what is drawn over the steps.
    """
    figure = Figure(figsize=(7, 4.5 + 0.17 * len(curves)), layout='constrained')
    axis = figure.subplots()
    for number, (name, seeds) in enumerate(curves.items()):
        steps, means, least, largest = mean_curve(seeds, metric)
        line, = axis.plot(steps, means, marker='.', label=name,
                          linestyle=('-', '--', ':')[number // 10 % 3])  # colours repeat after ten
        if len(seeds) > 1:
            colour = line.get_color()
            axis.fill_between(steps, least, largest, color=colour, alpha=0.15, linewidth=0)
            for curve in seeds:
                axis.plot(list(curve), [entry[metric] for entry in curve.values()],
                          color=colour, linewidth=0.5, alpha=0.6)
    axis.set(xlabel='step', ylabel=f'val {metric}')
    axis.grid(alpha=0.3)
    figure.legend(loc='outside lower left', fontsize=8)  # names are long, and curves are many
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
