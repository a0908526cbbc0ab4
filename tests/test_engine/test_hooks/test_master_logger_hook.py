from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger

from mmseg_wss.engine.hooks import MasterLoggerHook


@pytest.mark.parametrize('rank', [0, 1])
def test_rank_0_alone_writes_the_metrics_of_a_test(rank, tmp_path, monkeypatch):
    monkeypatch.setattr('mmengine.dist.utils.get_rank', lambda group=None: rank)
    runner = SimpleNamespace(
        log_dir=str(tmp_path), test_dataloader=[], logger=MMLogger('test_of_a_hook'),
        log_processor=SimpleNamespace(
            get_log_after_epoch=lambda *args, **options: ({'mIoU': 70.0}, 'mIoU: 70')))
    hook = MasterLoggerHook()
    hook.json_log_path = 'metrics.json'
    hook.after_test_epoch(runner)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == ({'metrics.json': '{"mIoU": 70.0}'} if rank == 0 else {})
