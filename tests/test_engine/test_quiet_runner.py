"""What a start prints, and what only the file of its log keeps."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel

from mmseg_wss.engine.quiet_runner import QuietRunner
from mmseg_wss.utils.quiet_libraries import import_quietly


class Network(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return torch.zeros(1)


def test_the_file_keeps_what_the_terminal_does_not_show(tmp_path, capsys):
    config = Config(dict(some_setting='of the config'))
    runner = QuietRunner(Network(), str(tmp_path), cfg=config, experiment_name='quiet')
    runner.build_optim_wrapper(dict(optimizer=dict(type='SGD', lr=1.), paramwise_cfg=dict(
        custom_keys=dict(layer=dict(lr_mult=5.)))))
    runner.logger.info('Config of the user is shown')
    runner.logger.warning('a warning')
    runner.logger.info('per class results:\n| a |\n| b |')
    printed = capsys.readouterr().out
    log, = Path(runner.log_dir).glob('*.log')
    written = log.read_text()
    for hidden in ('some_setting', 'System environment:', 'Hooks will be executed',
                   'layer.weight:lr=5.0'):
        assert hidden in written and hidden not in printed
    for shown in 'Config of the user is shown', 'a warning', '| b |', str(log):
        assert shown in written and shown in printed
    assert len(printed.splitlines()) <= 10


def test_an_import_that_speaks_is_silent_and_one_that_fails_is_not(tmp_path, monkeypatch, capsys):
    (tmp_path / 'speaks.py').write_text("print('Could not import OneDL')\nprint('news')\n")
    (tmp_path / 'fails.py').write_text("raise ImportError('no such library')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import_quietly('speaks')
    assert capsys.readouterr().out == 'news\n'
    with pytest.raises(ImportError, match='no such library'):
        import_quietly('fails')
