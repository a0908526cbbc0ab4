import pytest
from tiny_run import write_log

from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.val_curve import mean_curve, plot_curves, read_curve


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


def test_the_mean_curve_has_the_steps_that_all_have(tmp_path):
    curves = [{step: dict(mIoU=value) for step, value in points.items()}
              for points in ({10: 1., 20: 2., 30: 9.}, {10: 3., 20: 8.}, {10: 5., 20: 5.})]
    assert mean_curve(curves, 'mIoU') == ([10, 20], [3., 5.], [1., 2.], [5., 8.])
    plot_curves(tmp_path / 'curves.png', dict(three=curves, one=curves[:1]), 'mIoU')
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')
