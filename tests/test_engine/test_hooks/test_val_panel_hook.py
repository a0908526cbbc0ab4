"""Which images the panel shows, with which scores, and where it goes."""
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer
from mmseg.structures import SegDataSample

from mmseg_wss.engine.hooks import ValPanelHook
from mmseg_wss.engine.hooks.val_panel_hook import image_iou

META = dict(classes=['background', 'tree top', 'sky'],
            palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])


def test_the_score_of_an_image_by_a_closed_form():
    truth = np.array([[0, 0, 1, 1], [0, 0, 255, 255]], np.uint8)
    predicted = np.array([[0, 0, 0, 1], [0, 0, 1, 2]], np.uint8)
    assert image_iou(truth, predicted) == pytest.approx((4 / 5 + 1 / 2) / 2)  # void counts nowhere
    assert image_iou(truth, np.full_like(truth, 2)) == 0
    assert np.isnan(image_iou(np.full_like(truth, 255), predicted))


class Loader(list):
    dataset = SimpleNamespace(metainfo=META)


def sample(folder, number, right):
    """A sample of 10 x 10 pixels, half of them sky; `right` rows of it are found."""
    path = folder / f'photo {number}.png'
    cv2.imwrite(str(path), np.full((10, 10, 3), 255 - number, np.uint8))
    truth = torch.zeros(1, 10, 10, dtype=torch.long)
    truth[:, 5:] = 2
    found = torch.zeros_like(truth)
    found[:, 5:5 + right] = 2
    return SegDataSample(metainfo=dict(img_path=str(path)), gt_sem_seg=PixelData(data=truth),
                         pred_sem_seg=PixelData(data=found))


def test_the_worst_images_follow_those_that_are_spread(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr('mmseg_wss.engine.hooks.val_panel_hook.save_panels',
                        lambda path, rows, *rest: drawn.append(rows) or cv2.imwrite(
                            path, np.zeros((4, 6, 3), np.uint8)))
    rights = [5, 3, 0, 4, 1, 2, 5]
    runner = SimpleNamespace(
        work_dir=str(tmp_path), iter=40, logger=MMLogger('test_of_a_panel'),
        visualizer=Visualizer(vis_backends=[dict(type='LocalVisBackend')],
                              save_dir=str(tmp_path / 'vis')),
        val_dataloader=Loader(rights))
    hook = ValPanelHook(num_images=2, num_worst=3)
    for _ in range(2):  # the second validation starts anew
        hook.before_val_epoch(runner)
        for number, right in enumerate(rights):
            hook.after_val_iter(runner, number, outputs=[sample(tmp_path, number, right)])
        hook.after_val_epoch(runner)
    rows = drawn[1]
    ious = [((10 * right) / 50 + 50 / (100 - 10 * right)) / 2 * 100 for right in (0, 1, 2)]
    assert [text for text, _ in rows] == [
        'photo 0.png\nmIoU 100.0 %', 'photo 6.png\nmIoU 100.0 %',
        *(f'worst {n}: photo {name}.png\nmIoU {iou:.1f} %'
          for n, name, iou in zip((1, 2, 3), (2, 4, 5), ious))]
    assert (rows[2][1][0] == 253).all()  # each with its own picture
    kept = list((tmp_path / 'vis').rglob('val_panel_40.png'))
    assert len(kept) == 1 and cv2.imread(str(kept[0])).shape == (4, 6, 3)


def test_an_image_of_one_row(tmp_path):
    path = str(tmp_path / 'row.png')
    cv2.imwrite(path, np.zeros((1, 30, 3), np.uint8))
    mask = PixelData(data=torch.ones(1, 1, 30, dtype=torch.long))
    runner = SimpleNamespace(
        work_dir=str(tmp_path), iter=1, logger=MMLogger('test_of_a_row'), visualizer=Visualizer(),
        val_dataloader=Loader([0]))
    hook = ValPanelHook()
    hook.before_val_epoch(runner)
    hook.after_val_iter(runner, 0, outputs=[SegDataSample(
        metainfo=dict(img_path=path), gt_sem_seg=mask, pred_sem_seg=mask)])
    hook.after_val_epoch(runner)
    assert cv2.imread(str(tmp_path / 'val_panel.png')) is not None
