"""A COCO file of masks, as pycocotools reads it."""
import numpy as np
import pytest
from devkit import write_mask

from mmseg_wss.labels.converters.coco_predictions import write_coco


def test_pycocotools_reads_the_masks_back(tmp_path):
    coco = pytest.importorskip('pycocotools.coco')
    rng = np.random.default_rng(0)
    masks = {f'Küche/{i}.JPG': rng.choice([0, 1, 3, 255], (20 + i, 31)).astype(np.uint8)
             for i in range(3)}
    masks['empty.png'] = np.zeros((4, 5), np.uint8)
    paths = {}
    for number, (name, mask) in enumerate(masks.items()):
        paths[name] = tmp_path / f'{number}.png'
        write_mask(paths[name], mask)
    write_coco(tmp_path / 'coco.json', paths, ('background', 'cow', 'dog', 'sky'))

    read = coco.COCO(tmp_path / 'coco.json')
    assert {k: item['name'] for k, item in read.cats.items()} == {1: 'cow', 2: 'dog', 3: 'sky'}
    assert len(read.imgs) == 4 and len(read.anns) == 6
    for number, image in read.imgs.items():
        mask = masks[image['file_name']]
        assert (image['height'], image['width']) == mask.shape
        found = np.zeros_like(mask)
        for item in read.imgToAnns[number]:
            inside = read.annToMask(item).astype(bool)
            found[inside] = item['category_id']
            rows, columns = np.nonzero(inside)
            x, y, width, height = item['bbox']
            assert item['area'] == inside.sum()
            assert (x, y, x + width, y + height) == (
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert (found == np.where(mask == 255, 0, mask)).all()
