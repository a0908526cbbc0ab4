import pytest
from devkit import make_devkit
from tiny_run import load_script
from torch.utils.data import DataLoader

from mmseg_wss.datasets import StrongWeakSampler, VOCWeakSegDataset
from mmseg_wss.errors import USER_ERRORS, ConfigError, DataError, message_of

WORDS = 'a.jpg: the image is empty.\nRemove it from the list.'


class Broken:
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise DataError(WORDS)


@pytest.mark.parametrize('workers', [0, 1])
def test_message_without_the_traceback_of_a_worker(workers):
    with pytest.raises(DataError) as error:
        list(DataLoader(Broken(), num_workers=workers))
    assert message_of(error.value) == WORDS


@pytest.mark.parametrize('tool', ['train', 'test'])
@pytest.mark.parametrize('kind', USER_ERRORS)
def test_a_training_or_a_test_ends_with_the_message_alone(tool, kind, monkeypatch):
    monkeypatch.setattr('sys.argv', ['tool', 'config.py', *['net.pth'] * (tool == 'test')])
    tool = load_script(f'tools/{tool}.py')
    monkeypatch.setattr(tool, 'read_run_config', lambda args: {})

    def fail(*args):
        raise kind(WORDS)
    monkeypatch.setattr(tool, 'run', fail)
    with pytest.raises(SystemExit) as error:
        tool.main()
    assert error.value.code == WORDS


def test_options_that_do_not_fit_the_data_are_such_errors(tmp_path):
    make_devkit(tmp_path)
    dataset = VOCWeakSegDataset(data_root=str(tmp_path), ann_file='ImageSets/Segmentation/weak.txt',
                                supervision='box')
    for refused in (lambda: StrongWeakSampler(dataset, 2, [1, 1]),
                    lambda: VOCWeakSegDataset('x', supervision='bo'),
                    lambda: VOCWeakSegDataset('x', supervision='box', masks='bo'),
                    lambda: VOCWeakSegDataset('x', supervision='box', ignore_index=0)):
        with pytest.raises(ConfigError):
            refused()
