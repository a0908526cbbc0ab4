import io

import numpy as np
import pytest
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_file import (
    check_image_file,
    decode_fault,
    image_shape,
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
    import cv2
    assert read_image_shape(jpeg) == image_shape(jpeg) == cv2.imread(str(jpeg)).shape[:2]
    assert read_image_shape(jpeg) == (20, 30)


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
    assert decode_fault(path) is None
    lengths = np.linspace(0, len(content.getvalue()) - 40, 9).astype(int)
    for damaged in (*(content.getvalue()[:length] for length in lengths), bytes(range(256))):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match='x: the image file is corrupt.*Copy it again'):
            check_image_file(path)
