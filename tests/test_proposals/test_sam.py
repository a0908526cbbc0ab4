"""Masks by promptable segmenters, against the processors and networks of transformers by hand."""
import hashlib
import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_segmenters import KINDS, build_segmenter, import_transformers, save_segmenter

from mmseg_wss.errors import DataError
from mmseg_wss.proposals import fuse_masks, paste_masks, propose, rect_masks
from mmseg_wss.proposals.sam import describe_segmenter, find_segmenter, sam_masks

SHAPE = 40, 50
BOXES = np.array([[5., 5, 30, 35], [20.4, 10, 45.7, 30], [0, 0, 50, 40]])


@pytest.fixture
def transformers():
    return import_transformers()


@pytest.fixture
def image():
    picture = np.random.default_rng(0).integers(0, 60, (*SHAPE, 3), dtype=np.uint8)
    picture[10:30, 10:30] += np.array([150, 0, 0], np.uint8)
    return picture


@pytest.mark.parametrize('kind', KINDS)
def test_all_boxes_at_once_are_each_box_alone_by_hand(transformers, image, tmp_path, kind):
    found = sam_masks(image, BOXES, save_segmenter(tmp_path, kind))
    assert found.shape == (3, *SHAPE) and found.dtype == bool
    network, processor = build_segmenter(kind)
    for mask, box in zip(found, BOXES):
        inputs = processor(images=Image.fromarray(image), input_boxes=[[box.tolist()]],
                           return_tensors='pt').to(dtype=torch.float32)
        with torch.no_grad():
            logits = network(pixel_values=inputs['pixel_values'], multimask_output=False,
                             input_boxes=inputs['input_boxes']).pred_masks
        sizes = {key: value for key, value in inputs.items() if key.endswith('_sizes')}
        (truth, ) = processor.post_process_masks(logits, **sizes)
        inside = rect_masks(box[None], SHAPE)[0]
        assert (mask == truth[0, 0].numpy() & inside).all()
        assert 0 < mask.sum() < inside.sum()  # else the comparison says little


def test_the_image_is_encoded_once(transformers, image, tmp_path, monkeypatch):
    folder, calls = save_segmenter(tmp_path), []
    forward = transformers.SamModel.forward
    monkeypatch.setattr(transformers.SamModel, 'forward', lambda *args, **kwargs: (
        calls.append(kwargs['input_boxes'].shape), forward(*args, **kwargs))[1])
    sam_masks(image, BOXES, folder)
    assert calls == [(1, 3, 4)]


def test_an_object_of_which_nothing_is_found_gets_its_box(transformers, image, tmp_path):
    network, processor = build_segmenter('sam')
    for layers in network.mask_decoder.output_hypernetworks_mlps:  # all logits are 0
        torch.nn.init.zeros_(layers.proj_out.weight)
        torch.nn.init.zeros_(layers.proj_out.bias)
    network.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    assert (sam_masks(image, BOXES, tmp_path) == rect_masks(BOXES, SHAPE)).all()


def test_no_box_needs_no_model(image):
    assert sam_masks(image, np.zeros((0, 4)), 'no/such').shape == (0, *SHAPE)


def test_it_is_fused_and_pasted_as_all_methods(transformers, image, tmp_path):
    folder = save_segmenter(tmp_path)
    labels = np.array([3, 1, 2])
    found = propose(image, BOXES, labels, 'sam+rect', {'sam': {'model': folder}})
    sources = [sam_masks(image, BOXES, folder), rect_masks(BOXES, SHAPE)]
    assert (found == paste_masks(fuse_masks(sources), labels, SHAPE)).all()
    assert set(np.unique(found)) == {1, 2, 3, 255}
    with pytest.raises(ValueError, match="'sam' needs a model"):
        propose(image, BOXES, labels, 'sam')


def test_the_record_has_a_name_and_the_hash_of_the_weights(transformers, tmp_path):
    folder = find_segmenter(save_segmenter(tmp_path / 'mine'))
    truth = hashlib.sha256((tmp_path / 'mine/model.safetensors').read_bytes()).hexdigest()
    assert describe_segmenter(str(folder), folder) == dict(
        model='mine', weights={'model.safetensors': truth})
    assert describe_segmenter('some/name', folder)['model'] == 'some/name'


def damage(folder, what):
    if what == 'config':
        (folder / 'config.json').unlink()
    elif what == 'kind':
        (folder / 'config.json').write_text(json.dumps(dict(model_type='dinov2')))
    elif what == 'weights':
        (folder / 'model.safetensors').unlink()


@pytest.mark.parametrize('what, message', [
    ('config', 'config.json does not name a model'),
    ('kind', "type 'dinov2' makes no masks .* sam"),
    ('weights', 'has no weights, .*save_pretrained')])
def test_a_folder_without_a_segmenter(transformers, tmp_path, what, message):
    damage(save_segmenter(tmp_path), what)
    with pytest.raises(DataError, match=message):
        find_segmenter(tmp_path)


def test_weights_that_lack_tensors(transformers, image, tmp_path):
    from safetensors.torch import load_file, save_file
    file = save_segmenter(tmp_path) / 'model.safetensors'
    tensors = load_file(file)
    del tensors['mask_decoder.iou_token.weight']
    save_file(tensors, file, dict(format='pt'))
    with pytest.raises(DataError, match='lack mask_decoder.iou_token.weight'):
        sam_masks(image, BOXES, tmp_path)


@pytest.mark.parametrize('name', ['/no/such/folder', 'some/model'])
def test_a_model_that_is_nowhere(transformers, monkeypatch, name):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(name, allow_patterns):
        raise LocalEntryNotFoundError('no connection')

    if name == 'some/model':  # the other is refused before anything is asked
        monkeypatch.setattr(huggingface_hub, 'snapshot_download', offline)
    with pytest.raises(DataError, match=f'{name}: there is no such folder.*Without a network'):
        find_segmenter(name)


def test_a_name_of_the_hub_becomes_the_folder_of_its_files(transformers, tmp_path, monkeypatch):
    import huggingface_hub
    save_segmenter(tmp_path)
    asked = []
    monkeypatch.setattr(huggingface_hub, 'snapshot_download', lambda name, allow_patterns: (
        asked.append((name, allow_patterns)), str(tmp_path))[1])
    assert find_segmenter('some/model') == tmp_path
    assert asked == [('some/model', ('*.json', '*.safetensors'))]  # no pickle


def test_a_torch_that_is_too_old_for_transformers_is_named(transformers, monkeypatch):
    monkeypatch.setattr(transformers.utils, 'is_torch_available', lambda: False)
    with pytest.raises(ImportError, match='does not run with torch .* 2.2 for transformers 4.56'):
        find_segmenter('some/model')


def test_without_transformers_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(ImportError, match=r'\[sam\]'):
        find_segmenter('some/model')
