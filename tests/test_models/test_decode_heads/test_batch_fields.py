import pytest
import torch
from head_bench import make_samples
from mmengine.structures import InstanceData

from mmseg_wss.errors import DataError
from mmseg_wss.models.decode_heads import batch_fields as fields


@pytest.mark.parametrize('kind, said', [
    ('none', 'an unlabelled image'), ('image', "supervision='image'")])
@pytest.mark.parametrize('read, field, what, remedy', [
    (fields.masks_of, 'gt_sem_seg', 'mask', "supervision='pseudo' and a folder of masks"),
    (lambda samples: fields.masks_of(samples, 'seeds'), 'gt_sem_seg', 'seeds', 'pseudo_mask'),
    (fields.tags_of, 'gt_tags', 'tags', '(LoadWeakLabels|Take it out)'),
    (fields.valid_of, 'valid', 'valid', 'WeakSegDataPreprocessor'),
    (lambda samples: fields.boxed_classes_of(samples, 3, 'cpu'), 'gt_boxes', 'boxes',
     "labels_from='image'")])
def test_what_a_sample_lacks_is_said_with_its_file(kind, said, read, field, what, remedy):
    samples = make_samples(['pixel', kind])
    for sample in samples:
        sample.gt_tags, sample.gt_boxes = torch.tensor([1, 0, 1]), InstanceData(
            labels=torch.tensor([2]))
    delattr(samples[1], field)
    with pytest.raises(ValueError, match=rf'img_1\.jpg: it has no {what} \({said}\)\. .*{remedy}'):
        read(samples)


@pytest.mark.parametrize('kind, fits', [
    ('box', 'PseudoMask'), ('image', 'EMHead'), ('none', 'generate_pseudo_masks')])
def test_advice_about_a_mask_fits_the_kind_of_label(kind, fits):
    sample, = make_samples([kind])
    del sample.gt_sem_seg
    with pytest.raises(DataError) as error:
        fields.check_masks([sample])
    advice = str(error.value).split('mask (')[1]
    assert [word for word in ('PseudoMask', 'EMHead', 'generate_pseudo_masks') if word in advice] \
        == [fits]


def test_strokes_on_the_background_alone_need_a_tag_file():
    with pytest.raises(DataError, match="supervision='scribble'.* Only background .* a tag_file"):
        fields.tags_of(make_samples(['scribble']))


def test_fields_of_a_batch():
    samples = make_samples(['pixel', 'box'])
    for sample, labels in zip(samples, ([2], [])):
        sample.gt_boxes = InstanceData(labels=torch.tensor(labels, dtype=torch.long))
    assert fields.supervisions_of(samples) == ['pixel', 'box']
    masks = fields.masks_of(samples)
    assert masks.shape == (2, 16, 16) and (masks[1] == samples[1].gt_sem_seg.data[0]).all()
    assert fields.valid_of(samples).all() and fields.valid_of(samples).dtype == torch.bool
    assert fields.boxed_classes_of(samples, 3, 'cpu').tolist() == [[1, 0, 1], [1, 0, 0]]
