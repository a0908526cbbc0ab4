"""The quick start in seconds: its network and pipelines on 37 small images; scripts."""
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, MODELS, init_default_scope
from warm_process import run_script

from mmseg_wss.simulation.shapes import make_shapes

ROOT = Path(__file__).resolve().parents[1]

CONFIG = """
_base_ = [{base!r}]
data = dict(type='mmseg_wss.VOCWeakSegDataset', data_root={data!r})
train_dataloader = dict(
    batch_size=4, num_workers=1, sampler=dict(batch_size=4),
    dataset=dict(datasets=[dict(_base_.strong, **data), dict(_base_.weak, **data)]))
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
train_cfg = dict(max_iters={iterations}, val_interval=4)
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
"""
NO_WORKERS = ('train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
              'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False')


def load_script(path):
    """The module of a file that is in no package, such as 'tools/train.py'."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@contextmanager
def one_thread():
    """Add up in the order of processes of their own, which have one thread each."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_checkpoint(config, path, seed, **meta):
    """Write a random network of a config with large logits; returns the network, for predictions.

    It predicts several classes, and is sure of some pixels and unsure of others.
    """
    init_default_scope('mmseg')
    torch.manual_seed(seed)
    model = MODELS.build(Config.fromfile(config).model).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if 'strong_branch' in name and parameter.dim() > 1:
                parameter.mul_(6)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return model


def contents(folder):
    """Bytes of the PNG and JPEG files of a folder and its sub folders, by their place in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob('*.*g'))}


def write_log(work_dir, start, entries, tail=''):
    """What a training that began at `start` leaves of its metrics; `tail` may be half a line."""
    folder = work_dir / start / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(
        ''.join(json.dumps(entry) + '\n' for entry in entries) + tail)


def write_config(folder, iterations=12, more=''):
    """Draw the data set into `folder` and write a config for it; returns the path of the config."""
    folder = Path(folder)
    make_shapes(folder / 'shapes', num_images=(8, 24, 5), size=(64, 64))
    path = folder / 'tiny.py'
    path.write_text(CONFIG.format(
        base=str(ROOT / 'configs/quickstart/mixed_dual_shapes.py'), data=str(folder / 'shapes'),
        iterations=iterations) + more)
    return path


def environment(**more):
    """As in a user's shell, with this Python first in PATH and one thread a process."""
    folders = [str(ROOT), str(ROOT / 'tests'), os.environ.get('PYTHONPATH', '')]
    return dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join(filter(None, folders)),
                PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
                CUDA_VISIBLE_DEVICES='', **more)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def launch(*command, **more):
    """Start a command in a session of its own; stdout and stderr together are piped.

    Ctrl-C reaches it even where the tests themselves run in the background, which ignores it.
    """
    return subprocess.Popen(
        list(map(str, command)), env=environment(**more), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def finish(*command, fails=False, **more):
    """Run a command to its end; returns what it printed."""
    program, script, *arguments = map(str, command)
    if program == sys.executable and script.endswith('.py'):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'output')
            code = run_script(script, arguments, environment(**more), path, 900)
            output = path.read_text()
    else:
        process = launch(*command, **more)
        try:
            output = process.communicate(timeout=900)[0]
        finally:
            kill_all(process)
        code = process.returncode
    assert (code != 0) == fails, f'{code}: {output[-4000:]}'
    return output


def train(config, work_dir, *options, script=ROOT / 'tools/train.py', **kwargs):
    return finish(sys.executable, script, config, '--work-dir', work_dir, *options, **kwargs)


def kill_in_training(process, iteration, delay, kill=None):
    """Kill a training, by default with its children, `delay` s after it logged `iteration`."""
    printed = []
    for line in process.stdout:
        printed.append(line)
        if re.search(rf'Iter\(train\) \[ *{iteration}/', line):
            break
    time.sleep(delay)
    (kill or kill_all)(process)
    printed += process.stdout
    assert process.wait() == -signal.SIGKILL, ''.join(printed)[-4000:]


def kill_all(process):
    """SIGKILL to a process and all its descendants, also those in sessions of their own."""
    family = descendants(process.pid) if process.poll() is None else []
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def descendants(pid):
    """`pid`, its children, their children, ...; from /proc (Linux)."""
    found = [pid]
    for path in Path(f'/proc/{pid}/task').glob('*/children'):
        for child in path.read_text().split():
            found += descendants(int(child))
    return found


def is_running(pid):
    """A zombie does not: its parent may be slow to look."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def wait_for_the_end_of(pids, seconds=240):
    wait_for(lambda: not any(is_running(pid) for pid in pids), seconds)


def last_checkpoint(work_dir):
    return Path(Path(work_dir, 'last_checkpoint').read_text())


def weights(work_dir, iteration):
    """The parts of the last checkpoint that a training goes on from."""
    path = last_checkpoint(work_dir)
    assert path.name == f'iter_{iteration}.pth'
    checkpoint = torch.load(path, weights_only=False, map_location='cpu')
    return {key: checkpoint[key] for key in ('state_dict', 'optimizer', 'param_schedulers')}


def same(one, other):
    """The same bits, through dicts and lists."""
    if torch.is_tensor(one):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def records(work_dir):
    """What `Recorder` wrote: a list of steps for each rank."""
    return [[json.loads(line) for line in path.read_text().splitlines()]
            for path in sorted(Path(work_dir).glob('rank*.jsonl'))]


@HOOKS.register_module()
class Recorder(Hook):
    """Write what each rank saw in every step into a file of the rank."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        samples = data_batch['data_samples']
        with open(Path(runner.work_dir, f'rank{runner.rank}.jsonl'), 'a') as file:
            file.write(json.dumps(dict(
                iteration=runner.iter + 1, paths=[sample.img_path for sample in samples],
                supervisions=[sample.supervision for sample in samples])) + '\n')
