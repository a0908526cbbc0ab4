"""A file of the results of trainings, a line of json for each, and what a work dir says of one."""
import json
import time
from pathlib import Path

from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.val_curve import read_curve, read_log
from mmseg_wss.utils.file_lock import lock_file
from mmseg_wss.utils.fileio import atomic_path

_NO_METRICS = 'step', 'iter', 'epoch', 'time', 'data_time'
_OF_CLASS = 'IoU/'
_KEYS = dict(config=str, name=str, options=list, digest=str, steps=int, curve=dict, metrics=dict,
             classes=dict)
_WAIT = 60.  # seconds for another process to write its line


def read_results(path):
    """The lines of a file of results.

    Args:
        path (str | Path): may be missing. A last line that was cut off does not count.

    Returns:
        list[dict]: as `append_result` got them; the keys of ``curve`` are steps, int.

    Raises:
        DataError: a line is no result.
    """
    return [result for _, result in _lines(path)]


def append_result(path, result):
    """Add a line to a file of results, unless it has one with this digest.

    The file is written anew under a lock and renamed: whoever reads it sees whole lines, and of
    several processes that write at the same time none loses the line of another.

    Args:
        path (str | Path): is made if need be; beside it lies its lock.
        result (dict): values of json: config, name, options, digest, steps, curve, metrics,
            classes, and more.

    Raises:
        DataError: a line of the file is no result; or another process keeps it locked.
    """
    path = Path(path)
    with _locked(path.with_name(f'.{path.name}.lock')):
        found = _lines(path)
        if any(other['digest'] == result['digest'] for _, other in found):
            return  # another process was faster
        lines = [line for line, _ in found]
        with atomic_path(path) as temporary:
            temporary.write_text('\n'.join([*lines, json.dumps(result), '']), encoding='utf-8')


def _locked(path):
    deadline = time.monotonic() + _WAIT
    while True:
        try:
            return lock_file(path)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise DataError(f'{path}: another process has had this lock for {_WAIT:.0f} s. End '
                                'it, and run the command again: finished runs are kept.') from error
        time.sleep(0.02)


def _lines(path):
    """The whole lines of a file of results, and what they say."""
    path = Path(path)
    lines = path.read_bytes().split(b'\n') if path.exists() else []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                found.append((line.decode(), _result(line)))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            if number < len(lines):  # else without a line break at its end: a part
                raise DataError(f'{path}: line {number} is no result of a training ({error!r}). '
                                'Remove the line; its run is read from its work dir, or trained '
                                'again.') from error
    return found


def _result(line):
    result = json.loads(line.decode())
    for key, kind in _KEYS.items():
        if type(result[key]) is not kind:
            raise TypeError(f'{key} must be {kind.__name__}')
    if not result['curve']:
        raise ValueError('curve has no validation')
    measured = [result.get(key) for key in ('seconds', 'memory_mb')]
    if not all(map(_is_number, [
            *(value for value in measured if value is not None), *result['classes'].values(),
            *result['metrics'].values(),
            *(value for entry in result['curve'].values() for value in entry.values())])):
        raise TypeError('scores, seconds and memory_mb must be numbers')
    result['curve'] = {int(step): entry for step, entry in result['curve'].items()}
    return result


def _is_number(value):
    return type(value) in (int, float)


def run_result(work_dir, metric):
    """What the log of a training says.

    Args:
        work_dir (str): of the training.
        metric (str): what each validation has.

    Returns:
        dict or None, without a validation: steps, that of the last validation; metrics, its scores;
        classes, class -> its IoU, as far as it was logged (`ClassIoUMetric`); curve, step -> scores
        of the validation; device, 'cuda' or 'cpu'; seconds, of all logged training steps together
        (`training_seconds`), or None; memory_mb, the most that tensors had on a GPU, or None.
    """
    curve = read_curve(work_dir, metric)
    if not curve:
        return None
    last = curve[max(curve)]
    memory = [entry['memory'] for _, entry in read_log(work_dir)
              if _is_number(entry.get('memory'))]
    return dict(
        steps=max(curve), metrics=_scores(last),
        classes={key.removeprefix(_OF_CLASS): value for key, value in last.items()
                 if key.startswith(_OF_CLASS) and _is_number(value)},
        curve={step: _scores(entry) for step, entry in curve.items()},
        device='cuda' if memory else 'cpu', seconds=training_seconds(work_dir),
        memory_mb=max(memory, default=None))


def _scores(entry):
    return {key: value for key, value in entry.items() if _is_number(value)
            and key not in _NO_METRICS and not key.startswith(_OF_CLASS)}


def training_seconds(work_dir):
    """The time of the steps of a training by its log, over all its starts, without validations.

    The log has a mean over the last steps before each entry (mmengine: 10). It counts for all steps
    since the entry before; of a step that was trained twice the last start counts. Entries of
    validations have no ``iter``.

    Returns:
        float or None: None where the log has no time.
    """
    times = {entry['iter']: entry['time'] for _, entry in read_log(work_dir)
             if type(entry.get('iter')) is int and _is_number(entry.get('time'))}
    steps = sorted(times)
    if not steps:
        return None
    seconds = sum(times[step] * (step - before) for before, step in zip([0, *steps], steps))
    return round(seconds, 3)


def first_passage(curve, metric, value):
    """The first step whose validation is at or above a value; None: none is.

    Args:
        curve (dict[int, dict]): step -> scores.
        metric (str): which of them.
        value (float): in the metric's unit.
    """
    return min((step for step, entry in curve.items() if entry[metric] >= value), default=None)
