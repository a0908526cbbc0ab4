"""What kill_pipeline.py compares, on two work dirs with the reports that the tool really writes."""
import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from devkit import make_devkit, write_mask

from mmseg_wss.evaluation.mask_report import report_masks

ROOT = Path(__file__).parents[2]
REPORT = 'quality/report.json'
PIPELINE = 'pipeline.json'


@pytest.fixture(scope='module')
def tool():
    """kill_pipeline, which lies in no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'benchmarks'))
        yield importlib.import_module('kill_pipeline')


def make_run(work_dir, kit, seconds):
    """The folders that a pipeline leaves, with reports that took `seconds`."""
    stages = [work_dir / name for name in ('drawn', 'masks')]
    for stage in stages:
        shutil.copytree(kit / 'SegmentationClass', stage)
    write_mask(stages[1] / 'w0.png', np.full((12, 16), 255, np.uint8))
    for name in ('teacher', 'student'):
        path = work_dir / name / 'iter_4.pth'
        path.parent.mkdir()
        torch.save(dict(state_dict=dict(weight=torch.ones(2)), meta=dict(time=seconds)), path)
        (path.parent / 'last_checkpoint').write_text(str(path))
        (path.parent / 'val_panel.png').write_text(f'drawn in {seconds} s')
        (path.parent / f'start_{seconds}/vis_data').mkdir(parents=True)
        (path.parent / f'start_{seconds}/vis_data/picture.png').touch()
    report_masks([*map(str, stages)], str(kit / 'SegmentationClass'), out=work_dir / 'quality')
    report = json.loads((work_dir / REPORT).read_text())
    masks = {Path(path).name: scores for path, scores in report['folders'].items()}
    test = dict(mIoU=42.25, time=seconds, data_time=seconds / 2)
    (work_dir / PIPELINE).write_text(json.dumps(
        dict(masks=masks, networks=dict(student=dict(curve=[[4, 41.5]], tests=dict(test=test))))))
    (work_dir / 'pipeline.png').write_text(f'drawn in {seconds} s')


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Two runs with the same results, in two places."""
    root = tmp_path_factory.mktemp('runs')
    make_devkit(root / 'kit')
    for number, name in enumerate(('whole', 'killed'), 1):
        make_run(root / name, root / 'kit', seconds=0.25 * number)
    return root


@pytest.fixture
def runs(made, tmp_path):
    """The two; what a test does to the second is undone."""
    shutil.copytree(made / 'killed', tmp_path / 'killed')
    yield made / 'whole', made / 'killed'
    shutil.rmtree(made / 'killed')
    shutil.copytree(tmp_path / 'killed', made / 'killed')


def edit_json(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def train_otherwise(work_dir):
    torch.save(dict(state_dict=dict(weight=torch.zeros(2))), work_dir / 'teacher/iter_4.pth')


def lower_coverage(work_dir):
    """Of one folder of masks, as mask_report names it: with its place."""
    folder = str(work_dir / 'drawn')
    edit_json(work_dir / REPORT, lambda report: report['folders'][folder].update(coverage=0.5))


def test_equal_results_in_two_places_do_not_differ(tool, runs):
    """Though the reports name their folders, in text and in pictures, and times differ."""
    whole, killed = runs
    for name in (REPORT, PIPELINE, 'quality/report.png', 'quality/panels.png',
                 'pipeline.png', 'student/val_panel.png'):
        assert (whole / name).read_bytes() != (killed / name).read_bytes(), name
    assert tool.differences(whole, killed) == []


@pytest.mark.parametrize('damage, found', [
    (lambda run: write_mask(run / 'drawn/w1.png', np.zeros((12, 16), np.uint8)),
     ['drawn/w1.png']),
    (lambda run: (run / 'masks/w1.png').unlink(),
     ['masks/w1.png: only in one run']),
    (lambda run: shutil.copy(run / 'drawn/w1.png', run / 'drawn/w9.png'),
     ['drawn/w9.png: only in one run']),
    (lower_coverage, [REPORT]),
    (lambda run: (run / REPORT).unlink(), [f'{REPORT}: only in one run']),
    (lambda run: edit_json(run / PIPELINE, lambda report: report['networks']['student'][
        'tests']['test'].update(mIoU=42.5)), [PIPELINE]),
    (train_otherwise, ['teacher: state_dict']),
    (lambda run: (run / 'student/last_checkpoint').unlink(),
     ['student/last_checkpoint: only in one run'])])
@pytest.mark.parametrize('swapped', [False, True])
def test_whatever_differs_is_named(tool, runs, damage, found, swapped):
    damage(runs[1])
    assert tool.differences(*runs[::-1 if swapped else 1]) == found
