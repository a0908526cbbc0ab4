"""Mining of reliable labels: against the released code, on known pictures, and with padding."""
import math

import numpy as np
import pytest
import torch

from mmseg_wss.pseudo_labels import cam_labels, mine_labels, reliable_labels

H, W = 24, 30
OBJECT, CORNER = (slice(6, 18), slice(8, 22)), (slice(5), slice(6))

each_rule = pytest.mark.parametrize('rule', ['released', 'paper', 'cam'])


@pytest.fixture(params=['torch', 'pydensecrf'])
def backend(request):
    library = {'torch': 'numba', 'pydensecrf': 'pydensecrf'}[request.param]
    pytest.importorskip(library, reason='the backend is not installed')
    return request.param


def picture(seed=0):
    """A red object on blue, green in a corner, and a CAM that is high at the object's centre."""
    image = np.empty((H, W, 3), np.uint8)
    image[:], image[OBJECT] = (20, 40, 200), (210, 30, 30)
    image[CORNER] = 30, 255, 40
    noise = np.random.default_rng(seed).integers(-6, 7, image.shape)
    y, x = np.mgrid[:H, :W]
    cam = 1 - np.hypot((y - 11.5) / 10, (x - 14.5) / 11)
    return (image + noise).clip(0, 255).astype(np.uint8), cam.clip(0, 1).astype(np.float32)


def make_batch(*tags, number=4):
    """(images, cams, tags) as tensors; the second class of an image is that in the corner."""
    batch = [], [], []
    corner = np.zeros((H, W), np.float32)
    corner[CORNER] = np.linspace(0.4, 1, 30).reshape(5, 6)
    for seed, classes in enumerate(tags):
        image, centre = picture(seed)
        cams, has = np.zeros((number, H, W), np.float32), np.zeros(number)
        for c, cam in zip(classes, (centre, corner)):
            cams[c], has[c] = cam, 1
        for maps, array in zip(batch, (np.moveaxis(image, 2, 0), cams, has)):
            maps.append(torch.from_numpy(array))
    return tuple(map(torch.stack, batch))


def test_the_released_rule_gives_the_labels_of_the_released_code(backend, oracles):
    oracle = np.load(oracles / 'rrm_reliable_labels.npz', allow_pickle=False)
    assert oracle['n'] == 3
    for n in range(oracle['n']):
        image = oracle[f'image{n}']
        cams = np.zeros((20, *image.shape[:2]), np.float32)
        cams[oracle[f'classes{n}']] = oracle[f'cam{n}']
        labels = reliable_labels(image, cams, oracle[f'label{n}'], backend=backend)
        assert (labels == oracle[f'seg{n}']).mean() >= 0.999


@pytest.mark.parametrize('rule', ['released', 'paper'])
def test_labels_keep_to_the_object(backend, rule):
    """Only the object's pixels get its class, only others the background, and some get neither."""
    image, cam = picture()
    labels = reliable_labels(image, np.stack([cam * 0, cam]), [0, 1], rule, backend=backend)
    truth = np.zeros((H, W), int)
    truth[OBJECT] = 2
    assert labels.dtype == np.uint8 and set(np.unique(labels)) == {0, 2, 255}
    assert (labels == truth)[labels != 255].all()
    assert (labels[9:15, 12:18] == 2).mean() > 0.5 and (labels[:3, :3] == 0).all()
    assert (labels[6, [8, 21]] == 255).all()  # the object's corners: the CAM is low


def test_cam_labels_are_the_best_of_each_class():
    _, cams, tags = make_batch((1, 3))
    labels = cam_labels(cams[0].numpy(), tags[0].numpy(), ratio=0.2)
    assert labels.dtype == np.uint8 and set(np.unique(labels)) == {0, 2, 4, 255}
    assert labels[CORNER].ravel().tolist() == 24 * [255] + 6 * [4]
    assert torch.equal(mine_labels(None, cams, tags, rule='cam', ratio=0.2)[0],
                       torch.from_numpy(labels).long())


@each_rule
def test_an_image_without_tags_is_background(rule):
    images, cams, tags = make_batch((), (0, 2))
    labels = mine_labels(images, cams, tags, rule=rule)
    assert (labels[0] == 0).all() and set(labels[1].unique().tolist()) >= {1, 3, 255}
    assert (mine_labels(images[:1], cams[:1], tags[:1], rule=rule) == 0).all()


@each_rule
def test_images_of_a_batch_do_not_see_one_another(rule, backend):
    images, cams, tags = make_batch((1, 2), (3, ), (), (0, 3))
    labels = mine_labels(images, cams, tags, rule=rule, backend=backend)
    assert labels.dtype == torch.long and labels.shape == (4, H, W)
    for n in range(4):
        alone = reliable_labels(images[n].permute(1, 2, 0).numpy(), cams[n].numpy(),
                                tags[n].numpy(), rule, backend=backend)
        assert (labels[n].numpy() == alone).all()


@each_rule
@pytest.mark.parametrize('place', [(0, 0), (3, 2)])
def test_padding_changes_nothing_whatever_lies_on_it(rule, place):
    """One image keeps its size, the other is padded on all sides, with NaN in its CAMs."""
    images, cams, tags = make_batch((1, 2), (3, 0))
    y, x = place
    window = slice(y, y + H - 5), slice(x, x + W - 6)
    valid = torch.ones(2, H, W)
    valid[1] = 0
    valid[1][window] = 1
    padded_images, padded_cams = torch.full_like(images, 77), torch.full_like(cams, math.nan)
    padded_images[0], padded_cams[0] = images[0], cams[0]
    padded_images[1][(slice(None), *window)] = images[1, :, :-5, :-6]
    padded_cams[1][(slice(None), *window)] = cams[1, :, :-5, :-6]
    labels = mine_labels(padded_images, padded_cams, tags, valid, rule)
    cut = mine_labels(images[1:, :, :-5, :-6], cams[1:, :, :-5, :-6], tags[1:], rule=rule)
    assert torch.equal(labels[1][window], cut[0])
    assert (labels[1][valid[1] == 0] == 255).all()
    assert torch.equal(labels[:1], mine_labels(images[:1], cams[:1], tags[:1], rule=rule))


def test_an_image_that_is_all_padding_has_no_labels():
    images, cams, tags = make_batch((1, 2), (3, 0))
    valid = torch.ones(2, H, W, dtype=torch.bool)
    valid[0] = False
    labels = mine_labels(images, cams, tags, valid)
    assert (labels[0] == 255).all() and (labels[1] != 255).any()
    assert (mine_labels(images[:1], cams[:1], tags[:1], valid[:1]) == 255).all()


@each_rule
def test_cams_of_other_classes_are_not_read(rule):
    images, cams, tags = make_batch((1, 2))
    expected = mine_labels(images, cams, tags, rule=rule)
    cams[:, [0, 3]] = math.nan
    assert torch.equal(mine_labels(images, cams, tags, rule=rule), expected)


@each_rule
def test_what_comes_in_stays_as_it_is(rule):
    images, cams, tags = make_batch((1, 2))
    cams.requires_grad_()
    before = [maps.detach().clone() for maps in (images, cams, tags)]
    labels = mine_labels(images, cams, tags, torch.ones(1, H, W), rule)
    assert not labels.requires_grad
    assert all(torch.equal(a, b) for a, b in zip(before, (images, cams, tags)))
    assert torch.equal(mine_labels(images + 1e-4, cams, tags, rule=rule), labels)  # 255.0001
    half = mine_labels(images, cams.half(), tags, rule=rule)
    assert (half == labels).float().mean() > 0.95


@pytest.mark.parametrize('name, change, message', [
    ('cams', lambda x: x[0], r'cams must be \(N, K - 1, H, W\)'),
    ('cams', lambda x: x[:, :0], '1 to 254 classes'),
    ('cams', lambda x: x.expand(-1, 255, -1, -1), '1 to 254 classes'),
    ('cams', lambda x: 2 * x, r'cams must lie in 0..1; got values in 0..1.865. Divide'),
    ('cams', lambda x: -x, 'cams must lie in 0..1; got values in -0.93'),
    ('cams', lambda x: x * math.nan, 'cams must lie in 0..1; got values in nan'),
    ('tags', lambda x: torch.ones(1, 2), r'tags must have shape \(1, 1\).*without the background'),
    ('tags', lambda x: 0.5 * x, r'tags must be 0 or 1; got \[0.5\]'),
    ('images', lambda x: x[:, :2], r'images must have shape \(1, 3, 24, 30\)'),
    ('images', lambda x: x / 60. - 2, 'images must be RGB in 0..255, as they were before'),
    ('valid', lambda x: x[:, :5], r'valid must have shape \(1, 24, 30\)'),
    ('rule', lambda x: 'crf', "one of released, paper, cam; got 'crf'"),
    ('ratio', lambda x: 0, r'ratio must lie in \(0, 1\]; got 0'),
    ('ratio', lambda x: 40, 'got 40'),
    ('backend', lambda x: 'cuda', 'backend must be one of')])
def test_wrong_inputs_are_refused(name, change, message):
    images, cams, tags = make_batch((0, ), number=1)
    arguments = dict(images=images, cams=cams, tags=tags, valid=torch.ones(1, H, W),
                     rule='released', ratio=0.4, backend='torch')
    arguments[name] = change(arguments[name])
    with pytest.raises(ValueError, match=message):
        mine_labels(**arguments)


def test_an_image_with_its_channels_in_front_is_refused():
    image, cam = picture()
    with pytest.raises(ValueError, match=r'image must be \(H, W, 3\), RGB; got shape \(3, 24, 30'):
        reliable_labels(np.moveaxis(image, 2, 0), cam[None], [1])
