"""A published checkpoint is lean, loads strictly, and predicts what the whole model does."""
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmseg.utils import register_all_modules

from mmseg_wss.registry import MODELS

ROOT = Path(__file__).parents[2]
MIXED_DUAL, SINGLE = (ROOT / 'configs' / 'quickstart' / name for name in (
    'mixed_dual_shapes.py', 'single_strong_shapes.py'))

register_all_modules()


def build(**head):
    config = Config.fromfile(MIXED_DUAL)
    config.model.decode_head.update(head)
    torch.manual_seed(0)
    return MODELS.build(config.model).eval()


@pytest.fixture
def trained(tmp_path):
    """The model of the quick start, and the file a training would leave of it."""
    model = build()
    for tensor in model.state_dict().values():  # running statistics too
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1.)
    optimizer = torch.optim.AdamW(model.parameters())
    sum(parameter.sum() for parameter in model.parameters()).backward()
    optimizer.step()
    hub = MessageHub('publish_strong')
    hub.update_scalar('loss', 1.)
    file = tmp_path / 'iter_10.pth'
    torch.save(dict(
        state_dict=model.state_dict(), optimizer=optimizer.state_dict(),
        message_hub=hub.state_dict(), param_schedulers=[],
        meta=dict(iter=10, epoch=0, dataset_meta=dict(classes=('a', 'b')), cfg='secret',
                  seed=0)), file)
    return model, file


@pytest.fixture
def publish(run_tool):
    def run(*args, code=0):
        found, printed = run_tool('model_converters/publish_strong.py', *args)
        assert found == code
        return printed

    return run


def predictions(model):
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return model(image)


def test_what_is_published_is_what_predicts(trained, publish, tmp_path):
    model, file = trained
    out = tmp_path / 'published' / 'strong.pth'
    assert str(out) in publish(MIXED_DUAL, file, out)
    published = torch.load(out, weights_only=True)
    assert set(published) == {'state_dict', 'meta'}
    assert published['meta'] == dict(iter=10, epoch=0, dataset_meta=dict(classes=('a', 'b')))
    full, kept = model.state_dict(), published['state_dict']
    assert set(full) - set(kept) == {
        key for key in full if 'weak_branch' in key or 'mix_carry' in key} != set()
    assert all(torch.equal(kept[key], full[key]) for key in kept)
    assert out.stat().st_size < file.stat().st_size / 2
    lean = build(weak_branch=False)
    assert not torch.equal(predictions(lean), predictions(model))
    lean.load_state_dict(kept, strict=True)
    assert torch.equal(predictions(lean), predictions(model))


def config_with(tmp_path, model):
    config = tmp_path / 'own.py'
    config.write_text(f'_base_ = {str(MIXED_DUAL)!r}\nmodel = {model}\n')
    return config


@pytest.mark.parametrize('model', [
    dict(decode_head=dict(predict_branch='weak')), dict(pretrained='nowhere.pth')], ids=str)
def test_what_does_not_matter_for_publishing(publish, tmp_path, model):
    """Which branch predicts, where weights were from, and what the training noted (no meta)."""
    file = tmp_path / 'trained.pth'
    torch.save(dict(state_dict=build().state_dict()), file)
    publish(config_with(tmp_path, model), file, tmp_path / 'strong.pth')
    assert torch.load(tmp_path / 'strong.pth', weights_only=True)['meta'] == {}


def refused(publish, tmp_path, config, checkpoint):
    before = sorted(tmp_path.rglob('*'))
    error = publish(config, checkpoint, tmp_path / 'out' / 'strong.pth', code=1)
    assert sorted(tmp_path.rglob('*')) == before
    return error


def test_a_checkpoint_of_another_config_is_refused(trained, publish, tmp_path):
    config = config_with(tmp_path, dict(decode_head=dict(num_classes=7)))
    message = refused(publish, tmp_path, config, trained[1])
    assert str(trained[1]) in message and str(config) in message and 'conv_seg' in message


def test_a_head_without_weak_branch_is_refused(trained, publish, tmp_path):
    message = refused(publish, tmp_path, SINGLE, trained[1])
    assert str(SINGLE) in message and 'FCNHead' in message


@pytest.mark.parametrize('write', [
    lambda file: torch.save({}, file), lambda file: torch.save(dict(state_dict={}), file),
    lambda file: torch.save([1, 2], file), lambda file: file.write_bytes(b''),
    lambda file: file.write_bytes(b'not a checkpoint'),
    lambda file: file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])
], ids=['nothing', 'no weights', 'list', 'empty', 'text', 'half'])
def test_a_file_that_is_no_checkpoint_is_refused(trained, publish, tmp_path, write):
    write(trained[1])
    assert str(trained[1]) in refused(publish, tmp_path, MIXED_DUAL, trained[1])


@pytest.mark.parametrize('missing', ['config', 'checkpoint'])
def test_a_missing_file_is_named(trained, publish, tmp_path, missing):
    files = dict(config=MIXED_DUAL, checkpoint=trained[1])
    files[missing] = tmp_path / 'nowhere'
    assert str(tmp_path / 'nowhere') in refused(publish, tmp_path, *files.values())
