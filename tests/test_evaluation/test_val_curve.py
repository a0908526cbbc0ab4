import pytest
from tiny_run import write_log

from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.val_curve import read_curve


def test_the_last_start_counts_and_half_a_line_does_not(tmp_path):
    run = tmp_path / 'run [1]'  # a name with characters that glob reads as a pattern
    write_log(run, '20260101_000000', [
        dict(step=10, loss=3.), dict(step=10, mIoU=20.), dict(step=20, mIoU=30.)],
        tail='{"step": 30, "m')
    write_log(run, '20260102_000000', [dict(step=20, mIoU=31.), dict(step=30, mIoU=40.)])
    curve = read_curve(str(run))
    assert {step: entry['mIoU'] for step, entry in curve.items()} == {10: 20., 20: 31., 30: 40.}
    assert list(read_curve(str(run), 'loss')) == [10]
    assert read_curve(str(tmp_path / 'gone')) == {}


@pytest.mark.parametrize('line', [
    b'{"step": 20', b'[1]', b'7', b'{"mIoU": 3.0}', b'{"step": 20, "mIoU": "high"}',
    b'{"step": 1.5, "mIoU": 3.0}', b'\xff\xfe', b'[' * 100000])
def test_a_damaged_log_is_named(tmp_path, line):
    write_log(tmp_path, 'start', [dict(step=10, mIoU=20.)])
    path = tmp_path / 'start/vis_data/scalars.json'
    path.write_bytes(path.read_bytes() + line + b'\n')
    with pytest.raises(DataError, match=r'scalars\.json: line 2 is no entry.*Remove the line'):
        read_curve(str(tmp_path))
