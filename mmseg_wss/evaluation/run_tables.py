"""Tables of the results of trainings, with mean and spread over seeds."""
import numpy as np
from prettytable import PrettyTable

from mmseg_wss.evaluation.run_results import first_passage
from mmseg_wss.evaluation.val_curve import late_gain


def mean_and_spread(values, form='.2f'):
    """'MEAN ± SPREAD' as text: the sample standard deviation (n - 1); of one value, the value.

    Args:
        values (Sequence[float | None]): where one is None, the text is '-'.
        form (str): how numbers are written.
    """
    if not values or None in values:
        return '-'
    spread = f' ± {np.std(values, ddof=1):{form.lstrip("+")}}' if len(values) > 1 else ''
    return f'{np.mean(values):{form}}{spread}'


def passage_text(steps):
    """When a value is first reached: the mean step of the seeds that reach it, and how many do.

    Args:
        steps (Sequence[int | None]): one for each seed, see `first_passage`.
    """
    reached = [step for step in steps if step is not None]
    if not reached:
        return '-'
    some = f' ({len(reached)} of {len(steps)})' if len(reached) < len(steps) else ''
    return f'{np.mean(reached):.0f}{some}'


def run_table(runs, metric, passages=()):
    """One row for each training: what it reached, how soon, and what it took.

    Args:
        runs (dict[str, list[dict]]): name -> the result of each seed (see `run_result`),
            with ``finished=False`` where it has not ended.
        metric (str): what is compared.
        passages (Sequence[float]): values of the metric, a column for each: the first step there.

    Returns:
        PrettyTable
    """
    several = any(len(results) > 1 for results in runs.values())
    rows = [_row(name, results, metric, passages, several) for name, results in runs.items()]
    table = PrettyTable(list(rows[0]) if rows else ['training'])
    for row in rows:
        table.add_row(list(row.values()))
    return table


def _row(name, results, metric, passages, several):
    curves = [result['curve'] for result in results]
    last = [curve[max(curve)] for curve in curves]
    best = [max(curve, key=lambda step, curve=curve: curve[step][metric]) for curve in curves]
    scores = [scores[metric] for scores in last]
    finished = all(result.get('finished', True) for result in results)
    row = {
        'training': name,
        'steps': f'{max(map(max, curves))}{"" if finished else " (unfinished)"}',
        **({'seeds': len(results)} if several else {}),
        f'{metric} (last)': mean_and_spread(scores),
        **({'range': f'{min(scores):.2f} .. {max(scores):.2f}'} if several else {}),
        f'{metric} (best)': mean_and_spread([
            curve[step][metric] for curve, step in zip(curves, best)]),
        'at step': f'{np.mean(best):.0f}',
        'mAcc (last)': mean_and_spread([scores.get('mAcc') for scores in last]),
        'gain of last third': mean_and_spread([
            late_gain(curve, metric) for curve in curves], '+.2f')}
    for value in passages:
        row[f'step of {value:g}'] = passage_text([
            first_passage(curve, metric, value) for curve in curves])
    seconds = [result.get('seconds') for result in results]
    row['minutes'] = mean_and_spread([
        None if one is None else one / 60 for one in seconds], '.1f')
    row['MB'] = mean_and_spread([result.get('memory_mb') for result in results], '.0f')
    return row


def class_table(runs):
    """The mean IoU of each class over the seeds, a row for each training.

    Args:
        runs (dict[str, list[dict]]): see `run_table`.

    Returns:
        PrettyTable or None: None where no training logged the IoU of its classes.
    """
    names = list(dict.fromkeys(name for results in runs.values() for result in results
                               for name in result['classes']))
    if not names:
        return None
    table = PrettyTable(['training', *names])
    for run, results in runs.items():
        table.add_row([run, *(_mean_of([result['classes'].get(name) for result in results])
                              for name in names)])
    return table


def _mean_of(values):
    """A seed in which the class is in no mask and no prediction has none."""
    known = [value for value in values if value is not None]
    return f'{np.mean(known):.2f}' if known else '-'
