import cv2
import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_wss.registry import VISUALIZERS


def test_truth_and_prediction_lie_side_by_side_over_a_clear_background(tmp_path):
    visualizer = VISUALIZERS.build(dict(
        type='mmseg_wss.ClearVisualizer', name='test_of_pictures', alpha=0.5))
    visualizer.dataset_meta = dict(
        classes=['background', 'upper body', 'sky'], palette=[[9, 9, 9], [200, 0, 0], [0, 0, 200]])
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    masks = np.zeros((2, 40, 60), np.int64)
    masks[0, 5:10, 5:20] = 1
    masks[1, 20:30, 5:20] = 2
    sample = SegDataSample(**{key: PixelData(data=torch.tensor(mask)[None])
                              for key, mask in zip(('gt_sem_seg', 'pred_sem_seg'), masks)})
    path = tmp_path / 'drawn.png'
    visualizer.add_datasample('one', image, sample, out_file=str(path), with_labels=True)
    picture = cv2.imread(str(path))[..., ::-1].astype(float)
    assert picture.shape[0] > 40 and picture.shape[1] == 120
    for place, mask in zip((picture[:40, :60], picture[:40, 60:]), masks):
        colours = np.array(visualizer.dataset_meta['palette'])[mask]
        expected = np.where((mask == 0)[..., None], image, (image + colours.astype(float)) / 2)
        assert np.abs(place - expected).max() <= 1
    assert {(200, 0, 0), (0, 0, 200)} <= {tuple(map(int, c)) for c in picture[40:].reshape(-1, 3)}

    visualizer.add_datasample('two', image, sample, draw_gt=False, out_file=str(path))
    assert cv2.imread(str(path)).shape[1] == 60


def test_an_image_of_one_row(tmp_path):
    visualizer = VISUALIZERS.build(dict(type='mmseg_wss.ClearVisualizer', name='test_of_a_row'))
    visualizer.dataset_meta = dict(classes=['background', 'sky'], palette=[[0, 0, 0], [0, 0, 200]])
    mask = PixelData(data=torch.ones(1, 1, 60, dtype=torch.long))
    visualizer.add_datasample('row', np.zeros((1, 60, 3), np.uint8), SegDataSample(
        gt_sem_seg=mask, pred_sem_seg=mask), out_file=str(tmp_path / 'row.png'))
    assert cv2.imread(str(tmp_path / 'row.png')).shape[1] == 120
