import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tiny_run import write_log

from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.run_results import (
    append_result,
    first_passage,
    read_results,
    run_result,
    training_seconds,
)


def line(digest, **more):
    return dict(config='a.py', name='a', options=[], seed=0, digest=digest, steps=20,
                metrics=dict(mIoU=2.), classes=dict(cat=3.), seconds=None, memory_mb=7,
                curve={10: dict(mIoU=1.), 20: dict(mIoU=2.)}, **more)


def test_what_is_appended_is_read(tmp_path):
    path = tmp_path / 'out' / 'results.jsonl'
    assert read_results(path) == []
    append_result(path, line('x', note='ä'))
    append_result(path, line('y'))
    append_result(path, line('x', note='a second one of the same run'))
    assert read_results(path) == [line('x', note='ä'), line('y')]
    assert len(path.read_text('utf-8').splitlines()) == 2


def test_writers_at_the_same_time_lose_no_line(tmp_path):
    path = tmp_path / 'results.jsonl'
    with ThreadPoolExecutor(8) as pool:  # each lock is an open file of its own, as in processes
        list(pool.map(lambda number: append_result(path, line(f'{number:03}')), range(60)))
    assert sorted(result['digest'] for result in read_results(path)) == [
        f'{number:03}' for number in range(60)]
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith('.tmp')] == []


def test_a_cut_last_line_does_not_count_and_harms_no_other(tmp_path):
    path = tmp_path / 'results.jsonl'
    append_result(path, line('x'))
    whole = path.read_bytes()
    other = json.dumps(line('y')).encode()
    for length in range(1, len(other)):
        path.write_bytes(whole + other[:length])
        assert read_results(path) == [line('x')]
    append_result(path, line('z'))
    assert read_results(path) == [line('x'), line('z')]
    path.write_bytes(whole + other)  # an editor left out the line break
    assert read_results(path) == [line('x'), line('y')]


@pytest.mark.parametrize('damaged', [
    b'{"config": "a.py"', b'[1]', b'7', b'{}', b'\xff', b'[' * 100000,
    json.dumps(dict(line('y'), curve={})).encode(),
    json.dumps(dict(line('y'), curve={'ten': dict(mIoU=1.)})).encode(),
    json.dumps(dict(line('y'), metrics=dict(mIoU='high'))).encode(),
    json.dumps(dict(line('y'), seconds='few')).encode()])
def test_a_damaged_line_is_named(tmp_path, damaged):
    path = tmp_path / 'results.jsonl'
    append_result(path, line('x'))
    content = path.read_bytes() + damaged + b'\n'
    path.write_bytes(content)
    for use in read_results, lambda path: append_result(path, line('z')):
        with pytest.raises(DataError, match=r'results\.jsonl: line 2 is no result.*Remove the'):
            use(path)
    assert path.read_bytes() == content


def test_a_run_is_read_from_its_log_over_all_its_starts(tmp_path):
    write_log(tmp_path, '20260101_000000', [
        dict(loss=1., time=.5, iter=10, step=10, memory=100),
        {'mIoU': 20., 'aAcc': 50., 'IoU/cat': 1., 'time': 9., 'data_time': 1., 'step': 10},
        dict(loss=1., time=7., iter=20, step=20, memory=900)])
    write_log(tmp_path, '20260102_000000', [
        dict(loss=1., time=.25, iter=20, step=20, memory=200),
        dict(loss=1., time=1., iter=24, step=24, memory=200),
        {'mIoU': 30., 'aAcc': 60., 'IoU/cat': 2.5, 'IoU/a b': 3., 'time': 9., 'step': 24}])
    assert run_result(str(tmp_path), 'mIoU') == dict(
        steps=24, metrics=dict(mIoU=30., aAcc=60.), classes={'cat': 2.5, 'a b': 3.},
        curve={10: dict(mIoU=20., aAcc=50.), 24: dict(mIoU=30., aAcc=60.)}, device='cuda',
        seconds=10 * .5 + 10 * .25 + 4 * 1., memory_mb=900)
    assert run_result(str(tmp_path), 'mAP') is None
    assert training_seconds(str(tmp_path / 'gone')) is None


def test_the_first_passage_is_the_first_validation_at_or_above_a_value():
    curve = {step: dict(mIoU=value) for step, value in zip(
        (100, 200, 300, 400), (60., 70., 69., 75.))}
    assert [first_passage(curve, 'mIoU', value) for value in (50, 70, 70.5, 75, 75.1)] == [
        100, 200, 400, 400, None]
