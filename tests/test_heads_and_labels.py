"""docs/heads_and_labels.md says which head trains from which labels: each pair is tried."""
import pytest
from tiny_run import load_script

pytest.importorskip('scipy', reason='DSRGHead grows its seeds with it')
SCRIPT = load_script('docs/render_heads.py')


def test_the_page_has_what_comes_out_of_two_steps_with_each_pair():
    assert SCRIPT.PAGE.read_text() == SCRIPT.page(), 'run python docs/render_heads.py'


def test_no_label_is_read_and_not_used():
    assert 'not used.' not in SCRIPT.PAGE.read_text()
