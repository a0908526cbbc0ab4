"""What is read of a checkpoint: data, whole, or nothing."""
import collections
from urllib.error import URLError

import bad_checkpoints as bad
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from mmseg_wss.errors import DataError
from mmseg_wss.utils.checkpoint_file import (
    TRUST,
    checksum,
    load_from_local,
    save_checkpoint_bytes,
)

MALICIOUS = [bad.malicious, bad.legacy_malicious, bad.bare_pickle]


@pytest.mark.parametrize('make', MALICIOUS)
@pytest.mark.parametrize('load', [
    load_from_local,
    lambda path: load_checkpoint(torch.nn.Linear(1, 1), str(path)),
    lambda path: CheckpointLoader.load_checkpoint(str(path))],
    ids=['ours', 'load_checkpoint', 'CheckpointLoader'])
def test_code_in_a_checkpoint_is_not_run(tmp_path, make, load):
    path = make(tmp_path / 'x.pth', tmp_path / 'mark')
    with pytest.raises(DataError, match=r'x\.pth: loading it would run code: it names '
                                        r'(os|posix)\.mkdir.*--trust-checkpoint'):
        load(path)
    assert not (tmp_path / 'mark').exists()


def test_a_program_is_no_checkpoint(tmp_path):
    """Some releases of torch run TorchScript, data alone or not."""
    with pytest.raises(DataError, match=r'x\.pth: .*TorchScript'):
        load_from_local(bad.script(tmp_path / 'x.pth'))


def test_downloads_are_read_as_data_too(tmp_path, monkeypatch):
    """mmengine's loaders of URLs read from torch's cache."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    cache = tmp_path / 'hub/checkpoints'
    cache.mkdir(parents=True)
    bad.malicious(cache / 'resnet.pth', tmp_path / 'mark')
    with pytest.raises(DataError, match='would run code'):
        CheckpointLoader.load_checkpoint('https://example.org/resnet.pth')
    assert not (tmp_path / 'mark').exists()


@pytest.mark.parametrize('error', [
    URLError('no route to host'), KeyError('nosuch'), PermissionError(13, 'denied'),
    torch.cuda.OutOfMemoryError('out of memory'), MemoryError()])
def test_errors_that_are_not_the_files_stay_what_they_are(tmp_path, monkeypatch, error):
    """No network, no such model, no memory: the file is not damaged."""
    def fail(*args, **kwargs):
        raise error
    if not isinstance(error, KeyError):
        bad_free = tmp_path / 'x.pth'
        torch.save(dict(state_dict={}), bad_free)
        monkeypatch.setattr(torch, 'load', fail)
        with pytest.raises(type(error)):
            load_from_local(bad_free)
    monkeypatch.setattr('mmengine.runner.checkpoint.load_url', fail)
    with pytest.raises(type(error)):
        CheckpointLoader.load_checkpoint('https://example.org/resnet.pth')


def test_an_unknown_model_is_not_a_damaged_file():
    with pytest.raises(KeyError, match='nosuch'):
        CheckpointLoader.load_checkpoint('open-mmlab://nosuch')


def test_a_trusted_checkpoint_is_executed(tmp_path, monkeypatch):
    monkeypatch.setenv(TRUST, '1')
    load_from_local(bad.malicious(tmp_path / 'x.pth', tmp_path / 'mark'))
    assert (tmp_path / 'mark').is_dir()


@pytest.mark.parametrize('make, said', [
    (bad.empty, 'the file is empty'), (bad.text, 'no checkpoint of PyTorch; it begins with'),
    (bad.pointer, 'pointer of git-lfs.*git lfs pull'), (bad.truncated, 'its end is missing'),
    (bad.part_of_archive, 'its end is missing or damaged'),
    (bad.other_archive, 'damaged'), (bad.picture, 'no checkpoint of PyTorch'),
    (bad.broken_pickle, 'damaged')])
def test_what_is_no_checkpoint(tmp_path, make, said):
    make(tmp_path / 'x.pth')
    with pytest.raises(DataError, match=rf'x\.pth: .*{said}'):
        load_from_local(tmp_path / 'x.pth')


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'x\.pth: there is no such checkpoint'):
        load_from_local(tmp_path / 'x.pth')


def test_what_others_publish_is_read(tmp_path):
    """Logs of mmengine with their NumPy values, scores, and the formats of torchvision."""
    logs = HistoryBuffer([1., 2.], [1, 1])
    state = collections.OrderedDict(weight=torch.rand(3, 2))
    for number, old in enumerate((False, True)):
        path = tmp_path / f'{number}.pth'
        torch.save(dict(state_dict=state, message_hub=dict(
            log_scalars=dict(loss=logs), runtime_info=dict(
                best_score=np.float32(0.5), eta=np.float64(2),
                palette=np.arange(6).reshape(2, 3)))),
            path, _use_new_zipfile_serialization=not old)
        read = load_from_local(path)
        assert torch.equal(read['state_dict']['weight'], state['weight'])
        assert read['message_hub']['log_scalars']['loss'].mean() == 1.5
        assert read['message_hub']['runtime_info']['palette'].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_getattr_is_for_logs_alone(tmp_path):
    class Reach:
        def __reduce__(self):
            return getattr, (np.ndarray, 'tofile')
    torch.save(dict(state_dict=Reach()), tmp_path / 'x.pth')
    with pytest.raises(DataError, match='would run code: it names builtins.getattr'):
        load_from_local(tmp_path / 'x.pth')


def contents():
    generator = torch.Generator().manual_seed(0)
    return dict(a=torch.rand(4, 5, generator=generator), b=[1, (2., 'x')], c=dict(
        d=torch.arange(3), e=torch.rand(2, generator=generator).bfloat16(), f=torch.zeros(0)))


def test_the_checksum_sees_every_bit():
    value = contents()
    whole = checksum(value)
    assert checksum(contents()) == whole
    for bit in range(8):
        value['a'].view(torch.uint8)[2, 7] ^= 1 << bit
        assert checksum(value) != whole
        value['a'].view(torch.uint8)[2, 7] ^= 1 << bit
    assert checksum(dict(value, a=value['a'].reshape(5, 4))) != whole
    assert checksum(dict(value, b=[1, (2., 'y')])) != whole
    assert checksum(dict(a=value['a'].t().contiguous().t(), b=value['b'], c=value['c'])) == whole


def test_the_same_contents_are_the_same_bytes():
    assert save_checkpoint_bytes(contents()) == save_checkpoint_bytes(contents())
