"""Every combination of kinds: the config loads, has the classes, and names each list."""
from itertools import chain, combinations
from pathlib import Path

import pytest
from mmengine.config import Config

from mmseg_wss.labels.imports.devkit import ORDER
from mmseg_wss.labels.imports.ready_config import config_text

CONFIGS = str(Path(__file__).parents[3] / 'configs')
SETS = list(chain.from_iterable(combinations(ORDER, number) for number in (1, 2, 5)))


def numbers_of_classes(head):
    """Those of the heads that predict: a wrapper's is its inner head's."""
    inner = head.get('head')
    return numbers_of_classes(inner) if inner else head.num_classes


@pytest.mark.parametrize('kinds', [*SETS, ('point', 'empty')])
def test_every_combination(tmp_path, kinds):
    lists = {kind: (f'list_{kind}', 10 + place) for place, kind in enumerate(kinds)}
    with_val = 'pixel' in kinds
    if with_val:
        lists['val'] = 'val', 5
    text, unused = config_text(lists, 7, CONFIGS, 'tags.txt', 'work_dirs/mine')
    root = tmp_path / 'Ann\'s "photos" 1'
    root.mkdir()
    (root / 'config.py').write_text(text)
    config = Config.fromfile(root / 'config.py')
    assert config.work_dir == 'work_dirs/mine'
    sources = config.train_dataloader.dataset.datasets
    used = [source.ann_file.rpartition('list_')[2].removesuffix('.txt') for source in sources]
    assert sorted([*used, *unused]) == sorted(kinds)
    assert [source.supervision for source in sources] == [
        'pixel' if kind == 'empty' else kind for kind in used]
    assert len(config.train_dataloader.sampler.source_ratio) == len(sources)
    assert all(source.data_root == str(root) for source in sources)
    assert numbers_of_classes(config.model.decode_head) == 7
    assert (config.val_dataloader is None) == (config.val_cfg is None) == (not with_val)
    assert 10 <= len(text.splitlines()) <= 25
