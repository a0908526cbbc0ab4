"""The file in which a judge writes which masks are best for which kind of label."""
import json
import math

from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.box_masks import box_method, check_box_method
from mmseg_wss.evaluation.mask_judge import Candidate, best_of
from mmseg_wss.labels.formats.json_file import read_json
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.utils.fileio import atomic_path


def write_judgement(path, rows, **facts):
    """Write the scores of candidates (`judge_rows`), the best of each kind, and how it was judged.

    Args:
        path (str): the file.
        rows (list[dict]): fractions, nan becomes null.
        **facts: further keys, as JSON can write them.
    """
    content = dict(facts, best={kind: _plain(row) for kind, row in best_of(rows).items()},
                   rows=[_plain(row) for row in rows])
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False), encoding='utf-8')


def read_judgement(path):
    """The best candidate of each kind of label.

    Args:
        path (str): of a file of `write_judgement`.

    Returns:
        dict[str, Candidate]: by kind.

    Raises:
        DataError: the file cannot be read, or is none.
    """
    try:
        best = {kind: Candidate(row['kind'], row['source'], row['tau'], row['crf'],
                                row.get('tau_classes') or None)
                for kind, row in read_json(path)['best'].items()}
        good = all(
            candidate.kind == kind and _is_source(candidate)
            and all(map(_is_probability, (candidate.tau_classes or {}).values()))
            and candidate.crf in (None, *CRF_PRESETS) for kind, candidate in best.items())
    except (AttributeError, KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise DataError(f'{path}: not what tools/judge_masks.py writes (judge.json). Name that '
                        'file, or make it anew.')
    return best


def _is_source(candidate):
    """Whether it can be made; ValueError where its way to make masks of boxes is none."""
    method = box_method(candidate.source)
    return (method is None or candidate.kind == 'box' and bool(check_box_method(method))) and (
        candidate.source in ('clicks', method) or _is_probability(candidate.tau))


def _is_probability(value):
    return type(value) in (int, float) and 0 <= value <= 1


def _plain(value):
    """A row in the types of JSON, which has no nan."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
