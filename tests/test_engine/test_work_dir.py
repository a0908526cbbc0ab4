"""Which checkpoint a run resumes from."""
import shutil

import pytest

from mmseg_wss.engine.work_dir import latest_checkpoint
from mmseg_wss.errors import DataError


@pytest.fixture
def work_dir(tmp_path):
    folder = tmp_path / 'run'
    folder.mkdir()
    (folder / 'iter_4.pth').write_text('x')
    (folder / 'last_checkpoint').write_text(str(folder / 'iter_4.pth'))
    return folder


def test_of_a_folder_that_stays(work_dir):
    assert latest_checkpoint(work_dir) == str(work_dir / 'iter_4.pth')
    assert latest_checkpoint(work_dir.parent) is None
    assert latest_checkpoint(work_dir / 'none') is None


def test_a_renamed_folder_has_its_own(work_dir):
    moved = work_dir.rename(work_dir.with_name('renamed'))
    assert latest_checkpoint(moved) == str(moved / 'iter_4.pth')


def test_a_copied_folder_has_its_own(work_dir):
    copy = shutil.copytree(work_dir, work_dir.with_name('copy'))
    assert latest_checkpoint(copy) == str(copy / 'iter_4.pth')


def test_checkpoints_in_another_folder(work_dir):
    other = work_dir.with_name('elsewhere')
    other.mkdir()
    shutil.move(work_dir / 'iter_4.pth', other / 'iter_4.pth')
    (work_dir / 'last_checkpoint').write_text(str(other / 'iter_4.pth') + '\n')
    assert latest_checkpoint(work_dir) == str(other / 'iter_4.pth')


@pytest.mark.parametrize('text', ['gone/iter_9.pth', '', '\n'])
def test_what_is_gone(work_dir, text):
    (work_dir / 'last_checkpoint').write_text(text)
    with pytest.raises(DataError, match='last_checkpoint: it names .* Name a checkpoint'):
        latest_checkpoint(work_dir)
