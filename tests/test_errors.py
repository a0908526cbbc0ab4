import pytest
from devkit import make_devkit
from torch.utils.data import DataLoader

from mmseg_wss.datasets import StrongWeakSampler, VOCWeakSegDataset
from mmseg_wss.engine import user_messages
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


@pytest.mark.parametrize('kind', USER_ERRORS)
def test_a_run_ends_with_the_message_alone(kind, monkeypatch):
    monkeypatch.setattr(user_messages, 'read_run_config', lambda args: {})

    def fail(cfg, args):
        raise kind(WORDS)
    with pytest.raises(SystemExit) as error:
        user_messages.run_with_messages(fail, None)
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


def test_where_the_data_come_from_is_said_if_they_are_not_there(monkeypatch, tmp_path):
    source = dict(type='VOCWeakSegDataset', data_root=str(tmp_path / 'kit'))
    cfg = dict(train_dataloader=dict(dataset=source), data_hint='Download them.')

    def fail(*args):
        raise DataError('there is no such list.')
    monkeypatch.setattr(user_messages, 'read_run_config', lambda args: cfg)
    for lines in 2, 1:
        with pytest.raises(SystemExit) as error:
            user_messages.run_with_messages(fail, None)
        assert error.value.code.splitlines()[0] == 'there is no such list.'
        assert len(error.value.code.splitlines()) == lines
        assert ('kit: the data are not there' in error.value.code) == (lines == 2)
        assert error.value.code.endswith('Download them.') == (lines == 2)
        (tmp_path / 'kit').mkdir(exist_ok=True)
