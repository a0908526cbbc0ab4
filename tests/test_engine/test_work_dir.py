"""Who has a work dir, and which checkpoint a run resumes from."""
import shutil
import signal
import subprocess
import sys

import pytest
from tiny_run import ROOT, environment, finish, is_running, wait_for, write_config

from mmseg_wss.engine.work_dir import latest_checkpoint, own_work_dir
from mmseg_wss.errors import ConfigError, DataError


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


@pytest.mark.parametrize('content', [b'\xff\xfei\0', b'x' * 5000, b'iter\0_4.pth'])
def test_a_pointer_that_holds_no_path(work_dir, content):
    (work_dir / 'last_checkpoint').write_bytes(content)
    with pytest.raises(DataError, match='last_checkpoint: it .* Name a checkpoint'):
        latest_checkpoint(work_dir)


# ---- owners

def child(script):
    """A process that prints one line when its script has come that far, and waits."""
    process = subprocess.Popen(
        [sys.executable, '-c', script + '\nprint(os.getpid(), flush=True)\ninput()'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout.readline()
    return process


def test_one_training_in_a_work_dir(tmp_path):
    """And a test beside it; the lock ends with its owner, however that ends."""
    owner = child('import os\nfrom mmseg_wss.engine.work_dir import own_work_dir\n'
                  f'lock = own_work_dir({str(tmp_path / "run")!r}, "training")\nlock.__enter__()')
    with pytest.raises(ConfigError, match=f'run: another training is running there .process '
                                          f'{owner.pid} on .*another --work-dir'):
        with own_work_dir(tmp_path / 'run', 'training'):
            pass
    with own_work_dir(tmp_path / 'run', 'test'):
        pass
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with own_work_dir(tmp_path / 'run', 'training'):
        pass


def test_other_ranks_need_no_lock(tmp_path, monkeypatch):
    with own_work_dir(tmp_path, 'training'):
        monkeypatch.setenv('RANK', '1')
        with own_work_dir(tmp_path, 'training'):
            pass


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / 'run').write_text('')
    with pytest.raises(ConfigError, match='run: nothing can be written there .*--work-dir'):
        with own_work_dir(tmp_path / 'run', 'training'):
            pass


def test_a_second_start_touches_nothing(tmp_path):
    config = write_config(tmp_path, iterations=1)
    with own_work_dir(tmp_path / 'run', 'training'):
        (tmp_path / 'run/.tmp-1-iter_2.pth').write_text('half of a checkpoint')
        before = sorted((tmp_path / 'run').iterdir())
        printed = finish(sys.executable, ROOT / 'tools/train.py', config, '--work-dir',
                         tmp_path / 'run', fails=True)
        assert 'another training is running there' in printed and 'Traceback' not in printed
        assert sorted((tmp_path / 'run').iterdir()) == before


@pytest.mark.skipif(sys.platform != 'linux', reason='the signal is one of Linux')
def test_processes_end_with_a_killed_launcher():
    script = ('import os, time\nfrom mmseg_wss.engine.launch import die_with_parent\n'
              'rank = os.fork()\nif not rank:\n    die_with_parent()\n    time.sleep(600)\n'
              'time.sleep(1)\nprint(rank, flush=True)\ntime.sleep(600)')
    launcher = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, text=True,
                                env=environment())
    rank = int(launcher.stdout.readline())
    launcher.kill()
    launcher.wait()
    wait_for(lambda: not is_running(rank), 10)
