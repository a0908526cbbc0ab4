import io
import re

import cv2
import numpy as np
import pytest
from bad_images import BAD_IMAGES, GOOD_IMAGES
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import (
    check_image_file,
    image_shape,
    read_image,
    read_image_shape,
)


@pytest.fixture
def jpeg(tmp_path):
    """A photograph of 20x30 (height x width) that a camera held upright has written sideways."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(pixels).save(tmp_path / 'x.jpg', exif=exif)
    return tmp_path / 'x.jpg'


def test_the_shape_is_that_of_the_image_as_it_is_loaded(jpeg):
    assert read_image_shape(jpeg) == image_shape(jpeg) == cv2.imread(str(jpeg)).shape[:2]
    assert read_image_shape(jpeg) == (20, 30)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF'])
def test_the_shape_in_the_header_is_that_of_the_pixels(tmp_path, kind, orientation):
    """However a camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = dict(tiffinfo={0x0112: orientation}) if kind == 'TIFF' else dict(exif=exif)
    Image.new('RGB', (32, 24)).save(tmp_path / 'x', kind, **options)
    assert read_image_shape(tmp_path / 'x') == read_image(tmp_path / 'x').shape[:2]


def test_a_missing_file_and_one_that_is_no_image(tmp_path):
    (tmp_path / 'text.jpg').write_text('no image')
    for name, says in ('gone.jpg', 'there is no such image'), ('text.jpg', 'cannot be read'):
        assert image_shape(tmp_path / name) is None
        with pytest.raises(DataError, match=f'{name}: .*{says}'):
            read_image_shape(tmp_path / name)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_an_image_that_is_cut_off_anywhere(tmp_path, kind):
    content = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(content, kind)
    path = tmp_path / 'x'
    path.write_bytes(content.getvalue())
    check_image_file(path)
    assert read_image(path).shape == (16, 16, 3)
    lengths = np.linspace(0, len(content.getvalue()) - 40, 9).astype(int)
    for damaged in (*(content.getvalue()[:length] for length in lengths), bytes(range(256))):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match='x: the image file is corrupt.*Copy it again'):
            check_image_file(path)


@pytest.mark.parametrize('name', BAD_IMAGES)
def test_what_a_training_would_not_take_as_it_is(tmp_path, name):
    content, said = BAD_IMAGES[name]
    (tmp_path / 'x').write_bytes(content)
    with pytest.raises(DataError) as error:
        check_image_file(str(tmp_path / 'x'), whole=True)
    assert str(error.value).startswith(f'{tmp_path}/x: the image ')
    assert re.search(said, str(error.value))


@pytest.mark.parametrize('name', GOOD_IMAGES)
def test_what_a_training_takes_it_gets(tmp_path, name):
    (tmp_path / 'x').write_bytes(GOOD_IMAGES[name])
    for whole in (False, True):
        check_image_file(str(tmp_path / 'x'), whole)
    image = read_image(tmp_path / 'x')
    assert image.dtype == np.uint8
    assert np.array_equal(image, cv2.imread(str(tmp_path / 'x')))


def test_other_decoders_take_other_formats(tmp_path):
    """A config may name Pillow or tifffile; damage is damage to all of them."""
    for name in ('tiff-float', 'tga', 'png-12-bit', 'tiff-cut', 'jpeg-of-zeros', 'png-checksum'):
        (tmp_path / 'x').write_bytes(BAD_IMAGES[name][0])
        if name in ('tiff-float', 'tga', 'png-12-bit'):
            check_image_file(str(tmp_path / 'x'), whole=True, opencv=False)
        else:
            with pytest.raises(DataError, match='x: the image file is corrupt'):
                check_image_file(str(tmp_path / 'x'), whole=True, opencv=False)
