import io

import pytest

from mmseg_wss.utils import progress


class Clock:
    now = 100.

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, 'time', clock)
    return clock


def test_a_log_gets_a_line_now_and_then(clock, monkeypatch):
    """An item takes 4 seconds: with a line every 30 s after the 8th, the 16th and so on."""
    stderr = io.StringIO()
    monkeypatch.setattr('sys.stderr', stderr)
    seen = []
    for item in progress.track('x' * 1000, 'Making masks', 1000, every=30.):
        seen.append(item)
        clock.now += 4
    assert seen == ['x'] * 1000
    lines = stderr.getvalue().splitlines()
    assert lines[:2] == ['Making masks: 8/1000, 1:06:08 left',
                         'Making masks: 16/1000, 1:05:36 left']
    assert len(lines) == 125 and lines[-1] == 'Making masks: 1000/1000, 0:00:00 left'


def test_a_short_job_is_silent_in_a_log(clock, capsys):
    assert list(progress.track([1, 2, 3], 'Making masks', 3)) == [1, 2, 3]
    assert capsys.readouterr() == ('', '')


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True
    stderr = Terminal()
    monkeypatch.setattr('sys.stderr', stderr)
    monkeypatch.setenv('TERM', 'xterm')
    assert list(progress.track([1, 2, 3], 'Making masks', 3)) == [1, 2, 3]
    assert 'Making masks' in stderr.getvalue() and '100%' in stderr.getvalue()
