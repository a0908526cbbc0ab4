"""tools/train_pipeline.py over stubs of the tools: killed anywhere, continued, watched."""
import json
import os
import shutil
import signal
import sys
import time

import pytest
from tiny_run import ROOT, finish, is_running, kill_all, launch, wait_for_the_end_of

# Every tool in one: it makes its files in steps, each from the file before and from its inputs, so
# that a step from other inputs, left out or done twice in a wrong way would change all that follow.
STUB = """
import hashlib, json, os, subprocess, sys, time
from pathlib import Path


def text_of(*paths):
    files = [file for path in paths for file in sorted(Path(path).glob('*.png'))]
    return hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.half')
    temporary.write_text(text)
    temporary.replace(path)


def main(name, arguments):
    def after(flag):
        return arguments[arguments.index(flag) + 1]

    folder = Path(after('--work-dir' if name in ('train', 'test') else '--out'))
    if name == 'train':
        source = text_of(arguments[-1].split('=')[1])
    elif name in ('generate_pseudo_masks', 'test'):
        source = Path(arguments[1]).read_text() + (after('--tau') if '--tau' in arguments else '')
    else:
        inputs = set(filter(os.path.isdir, arguments)) - {str(folder)}
        source = text_of(*sorted(inputs))
    journal = open(os.environ['JOURNAL'], 'a')
    print(f'{name} speaks', flush=True)
    for step in range(4):
        file = folder / (f'iter_{step}.pth' if name == 'train' else f'{name}_{step}.png')
        if not file.exists():
            journal.write(f'{folder.name} {name} {step}\\n')
            journal.flush()
            if os.environ.get('HANG') == f'{folder.name} {name} {step}':
                child = subprocess.Popen(['sleep', '600'], start_new_session=True)
                journal.write(f'hangs {os.getpid()} {child.pid}\\n')
                journal.flush()
                time.sleep(600)
            if os.environ.get('FAIL') == folder.name:
                sys.exit(3)
            before = folder / f'iter_{step - 1}.pth'
            begin = before.read_text() if before.exists() else source
            write(file, hashlib.sha256(f'{begin} {step}'.encode()).hexdigest())
        if name == 'train':
            write(folder / 'last_checkpoint', str(file))
            write(folder / 'start/vis_data/scalars.json',
                  json.dumps(dict(step=4, mIoU=41.5)) + '\\n')
    if name == 'test':
        write(folder / 'start/start.json', json.dumps(dict(mIoU=42.25)))
    if name == 'judge_masks':
        worth = json.loads(os.environ['WORTHS'])[folder.name]
        write(folder / 'judge.json', json.dumps(dict(rows=[dict(kind='box', worth=worth)])))
    if name == 'mask_report':
        scores = dict(miou=0.5, miou_all=0.25, fg_precision=0.75, coverage=None)
        masks = arguments[:arguments.index('--truth')]
        write(folder / 'report.json', json.dumps(dict(folders=dict.fromkeys(masks, scores))))


if __name__ == '__main__':
    main(Path(sys.argv[0]).stem, sys.argv[1:])
"""
TOOLS = ('generate_proposals', 'train', 'generate_pseudo_masks', 'test', 'judge_masks',
         'analysis_tools/mask_report')
NETWORK = """
train_dataloader = dict(dataset=dict(datasets=[
    dict(supervision='pseudo', pseudo_mask='x', data_root='data', ann_file='weak.txt')]))
test_dataloader = dict(dataset=dict(data_root='data', ann_file='val.txt'))
train_cfg = dict(max_iters=4)
"""
PIPELINE = """
rounds, tau, truth = 1, 0.9, 'truth'
stages = [
    dict(name='masks_0', tool='generate_proposals.py', config='net.py', options=dict(method='x')),
    dict(repeat='{rounds}', stages=[
        dict(name='net_{round}', tool='train.py', config='net.py', masks='masks_{before}'),
        dict(name='masks_{round}', tool='generate_pseudo_masks.py', checkpoint='net_{round}',
             options=dict(tau='{tau}')),
    ]),
    dict(name='student_{rounds}', tool='train.py', config='net.py', masks='masks_{rounds}'),
    dict(name='test_{rounds}', tool='test.py', checkpoint='student_{rounds}'),
    dict(name='quality_{rounds}', tool='analysis_tools/mask_report.py',
         args=['{masks_0}', '{masks_{rounds}}'], options=dict(truth='{truth}')),
]
"""
ROUNDS = """
truth = None
stages = [
    dict(name='judge', tool='judge_masks.py', config='net.py'),
    dict(name='masks', tool='generate_proposals.py', config='net.py', options=dict(method='x')),
    dict(name='net', tool='train.py', config='net.py', masks='masks'),
    dict(repeat=3, first=2, while_better=['judge{_before}', 'judge{_round}'], stages=[
        dict(name='judge{_round}', tool='judge_masks.py', config='net.py', masks='masks{_before}',
             options=dict(reference='{judge}')),
        dict(name='masks{_round}', tool='generate_pseudo_masks.py', checkpoint='net{_before}'),
        dict(name='net{_round}', tool='train.py', config='net.py', masks='masks{_round}'),
    ]),
    dict(name='test{_last}', tool='test.py', checkpoint='net{_last}'),
]
"""
STAGES = ['masks_0', 'net_1', 'masks_1', 'student_1', 'test_1', 'quality_1']
STUBS = ['generate_proposals', 'train', 'generate_pseudo_masks', 'train', 'test', 'mask_report']

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='processes are found through /proc')


class Workplace:
    """A folder with the tool, stubs of the others, configs and a work dir."""

    def __init__(self, root):
        self.root, self.journal, self.work = root, root / 'journal', root / 'work'
        (root / 'tools/analysis_tools').mkdir(parents=True)
        for name in TOOLS:
            (root / f'tools/{name}.py').write_text(STUB)
        shutil.copy(ROOT / 'tools/train_pipeline.py', root / 'tools')
        (root / 'net.py').write_text(NETWORK)
        (root / 'pipeline.py').write_text(PIPELINE)
        self.truth = root / 'truth'
        self.truth.mkdir()
        self.journal.touch()

    def command(self, *options):
        tool, file = self.root / 'tools/train_pipeline.py', self.root / 'pipeline.py'
        extra = ['--cfg-options', f'truth={self.truth}']
        return [sys.executable, tool, file, '--work-dir', self.work, *extra, *options]

    def run(self, *options, **more):
        return finish(*self.command(*options), JOURNAL=str(self.journal), **more)

    def hang_in(self, stage, tool, step=2, **more):
        """Start it, and wait until this step hangs; returns the pipeline, pids of the tool's."""
        process = launch(*self.command(), JOURNAL=str(self.journal), **more,
                         HANG=f'{stage} {tool} {step}')
        while 'hangs' not in (text := self.journal.read_text().splitlines() or [''])[-1]:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        return process, list(map(int, text[-1].split()[1:]))

    def steps(self):
        """What the tools did, since it was asked the last time."""
        lines = [line for line in self.journal.read_text().splitlines() if 'hangs' not in line]
        self.journal.write_text('')
        return lines

    def results(self):
        """Contents of all results: not of logs, nor of what holds times or this folder's name."""
        return {path.relative_to(self.work).as_posix(): path.read_bytes()
                for path in sorted(self.work.rglob('*'))
                if path.suffix in ('.png', '.pth') and path.name != 'pipeline.png'}


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A pipeline that nobody disturbed, and what it printed."""
    place = Workplace(tmp_path_factory.mktemp('whole'))
    return place, place.run(), place.steps()


def test_all_stages_in_their_order(whole):
    place, printed, steps = whole
    assert steps == [f'{stage} {stub} {step}' for stage, stub in zip(STAGES, STUBS)
                     for step in range(4)]
    for number, stage in enumerate(STAGES, 1):
        assert f'[{number}/6] {stage} ...' in printed
        assert f'[{number}/6] {stage}: done in 0:00:' in printed
        log = (place.work / stage / 'output.log').read_text()
        assert f'{STUBS[number - 1]} speaks' in log and 'tools/' in log
    assert printed.count(' speaks\n') == 6


def test_the_report(whole):
    place, printed, _ = whole
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in printed.splitlines()]
    assert ['masks_0', '50.00', '-', '75.00'] in rows
    assert ['masks_1', '50.00', '-', '75.00'] in rows
    assert ['net_1', '4', '41.50', '-'] in rows
    assert ['student_1', '4', '41.50', '42.25'] in rows
    report = json.loads((place.work / 'pipeline.json').read_text())
    assert report['networks']['student_1'] == dict(
        curve=[[4, 41.5]], last_val=41.5, tests=dict(test_1=dict(mIoU=42.25)))
    assert report['masks']['masks_0']['fg_precision'] == 0.75
    assert (place.work / 'pipeline.png').stat().st_size > 5_000


def test_killed_in_every_stage_and_continued(place, whole):
    """SIGKILL reaches the pipeline alone; its commands end with it, and nothing is done twice."""
    for number, (stage, stub) in enumerate(zip(STAGES, STUBS)):
        process, pids = place.hang_in(stage, stub)
        assert all(is_running(pid) for pid in pids)
        if stage == 'net_1':
            assert f'process {process.pid}' in place.run(fails=True)  # a second one
            assert '[2/6] net_1: continues' in place.run('--dry-run')
        process.kill()
        wait_for_the_end_of(pids)
        assert process.wait() == -signal.SIGKILL
        lines = place.steps()
        assert lines[-1] == f'{stage} {stub} 2'
        done_before = STAGES[:max(0, number - 1)]
        assert not [line for line in lines if line.split()[0] in done_before]
    printed = place.run()
    assert place.steps() == ['quality_1 mask_report 2', 'quality_1 mask_report 3']
    assert printed.count(': done before') == 5 and '[6/6] quality_1: continues ...' in printed
    assert place.results() == whole[0].results()
    assert len(place.results()) == 6 * 4


@pytest.mark.parametrize('sign, code', [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
def test_stopped_by_a_signal(place, sign, code):
    process, pids = place.hang_in('masks_0', 'generate_proposals')
    process.send_signal(sign)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == code, printed
    assert 'Traceback' not in printed
    assert not any(is_running(pid) for pid in pids)  # gone before it was


def test_a_failed_stage_is_said_and_continued(place, whole):
    printed = place.run(FAIL='masks_1', fails=True)
    assert printed.splitlines()[-1].startswith(
        f'train_pipeline: masks_1 failed with exit code 3; what it printed is in '
        f'{place.work}/masks_1/output.log.')
    place.steps()
    assert '[3/6] masks_1: continues' in place.run()
    assert place.steps()[0] == 'masks_1 generate_pseudo_masks 0'
    assert place.results() == whole[0].results()


def test_more_rounds_share_the_earlier_ones_and_changes_are_refused(place, whole):
    shutil.copytree(whole[0].work, place.work)
    place.truth = whole[0].truth
    again = place.run()
    assert again.count('done before') == 6
    assert again[again.index('+--'):].splitlines()[:-1] == (  # the same tables
        whole[1][whole[1].index('+--'):].splitlines()[:-1])
    assert place.steps() == []

    printed = place.run('rounds=2')
    assert printed.count('done before') == 3
    assert {line.split()[0] for line in place.steps()} == {
        'net_2', 'masks_2', 'student_2', 'test_2', 'quality_2'}

    printed = place.run('rounds=2', 'tau=0.8', fails=True)
    assert 'options.tau: 0.9 -> 0.8' in printed
    assert place.steps() == []


def test_a_dry_run_touches_nothing(place, whole):
    def tree(root):
        return {path: path.stat().st_mtime_ns for path in root.rglob('*')
                if '__pycache__' not in path.parts}
    before = tree(place.root)
    printed = place.run('--dry-run')
    assert [line for line in printed.splitlines() if line.startswith('[')] == [
        f'[{number}/6] {stage}: to do' for number, stage in enumerate(STAGES, 1)]
    assert f'"$(cat {place.work}/net_1/last_checkpoint)"' in printed
    assert tree(place.root) == before and not place.work.exists()

    before = tree(whole[0].root)
    assert whole[0].run('--dry-run').count(': done\n') == 6
    assert tree(whole[0].root) == before


def test_a_truth_that_is_not_there_is_said_at_the_start(place):
    place.truth.rmdir()
    assert 'quality_1: truth: there is no folder' in place.run(fails=True)
    assert not place.work.exists()


def test_the_pipeline_has_no_part_that_outlives_it(place):
    """Also when everything of the terminal's process group is killed at once."""
    process, pids = place.hang_in('masks_0', 'generate_proposals')
    os.killpg(process.pid, signal.SIGKILL)
    wait_for_the_end_of(pids)
    kill_all(process)
    process.communicate()


def test_a_made_up_method_of_three_made_up_tools(place):
    """Of what a stage reads, its own text, one more letter: `tools/` gets a file and no more."""
    for name in 'abc':
        (place.root / f'tools/{name}.py').write_text(
            'import sys\nfrom pathlib import Path\n*inputs, _, folder = sys.argv[1:]\n'
            f'text = {name!r}.join(Path(path, "text").read_text() for path in inputs)\n'
            f'Path(folder, "text").write_text(text + {name!r})\n')
    (place.root / 'pipeline.py').write_text("""
truth = None
stages = [dict(name='one', tool='a.py'), dict(name='two', tool='b.py', args=['{one}']),
          dict(name='three', tool='c.py', args=['{one}', '{two}'])]
""")
    printed = place.run()
    assert '[3/3] three: done' in printed
    assert (place.work / 'three/text').read_text() == 'acabc'
    assert place.run().count('done before') == 3


def test_rounds_that_the_judge_ends(place):
    """Killed in the second judge and behind it, and started again: its answer stays the same."""
    (place.root / 'pipeline.py').write_text(ROUNDS)
    worths = json.dumps(dict(judge=0.04, judge_2=0.05, judge_3=0.031))
    planned = place.run('--dry-run')
    assert '[5/10] masks_2: to do, waits for judge_2' in planned and 'judge_3' in planned
    for stage, stub in (('judge_2', 'judge_masks'), ('net_2', 'train')):
        process, pids = place.hang_in(stage, stub, WORTHS=worths)
        process.kill()
        wait_for_the_end_of(pids)
        process.communicate()
        assert place.steps()[-1] == f'{stage} {stub} 2'
    printed = place.run(WORTHS=worths)
    stops = 'round 3 stops: the judge gives its masks a worth of 3.10, those before had 5.00'
    assert printed.count(stops) == 1
    assert '[8/8] test_2: done' in printed and 'masks_3' not in printed
    stages = [line.split()[0] for line in place.steps()]
    assert stages == ['net_2'] * 2 + ['judge_3'] * 4 + ['test_2'] * 4
    networks = json.loads((place.work / 'pipeline.json').read_text())['networks']
    assert {name: list(network['tests']) for name, network in networks.items()} == dict(
        net=[], net_2=['test_2'])
    again = place.run(WORTHS='')
    assert again.count('done before') == 8 and stops in again and place.steps() == []
    assert stops in place.run('--dry-run')
