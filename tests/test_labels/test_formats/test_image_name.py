"""One image, one file, whatever it ends in."""
import pytest

from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES, find_image
from mmseg_wss.utils.file_names import FolderIndex


@pytest.mark.parametrize('suffix', [*IMAGE_SUFFIXES, *map(str.upper, IMAGE_SUFFIXES), '.Tif'])
def test_any_suffix(tmp_path, suffix):
    for name in (f'a.b{suffix}', 'a.jpg', 'a.b.txt'):
        (tmp_path / name).touch()
    assert find_image(f'{tmp_path}/a.b', None, FolderIndex()) == (f'{tmp_path}/a.b{suffix}', [])


def test_none_and_several(tmp_path):
    index = FolderIndex()
    assert find_image(f'{tmp_path}/a', None, index) == (f'{tmp_path}/a.jpg', [])
    for name in 'a.jpg', 'a.PNG':
        (tmp_path / name).touch()
    path, (fault, ) = find_image(f'{tmp_path}/a', None, FolderIndex())
    assert path.startswith(f'{tmp_path}/a.')
    assert f'{tmp_path}/a.PNG and {tmp_path}/a.jpg' in fault and 'img_suffix' in fault
    # a suffix that is given is taken as it is
    assert find_image(f'{tmp_path}/a', '_x.png', FolderIndex()) == (f'{tmp_path}/a_x.png', [])
