import numpy as np
import pytest
import torch

from mmseg_wss.evaluation import ClassIoUMetric


def result(truth, predicted):
    return dict(pred_sem_seg=dict(data=torch.tensor(predicted)),
                gt_sem_seg=dict(data=torch.tensor(truth)), img_path='a.jpg')


def test_each_class_that_occurs_has_its_iou_by_name():
    metric = ClassIoUMetric()
    metric.dataset_meta = dict(classes=('background', 'upper body', 'straße', 'never'))
    metric.process({}, [result([[0, 0, 1, 1]], [[0, 1, 1, 1]]),
                        result([[2, 2, 255, 0]], [[2, 0, 3, 0]])])
    metrics = metric.evaluate(2)
    ious = {'background': 2 / 4, 'upper body': 2 / 3, 'straße': 1 / 2}
    assert {key: value for key, value in metrics.items() if '/' in key} == {
        f'IoU/{name}': round(100 * iou, 2) for name, iou in ious.items()}
    assert metrics['mIoU'] == pytest.approx(100 * np.mean(list(ious.values())), abs=0.01)
    assert all(type(value) is float for key, value in metrics.items() if '/' in key)


def test_other_metrics_have_no_ious():
    metric = ClassIoUMetric(iou_metrics=['mDice'])
    metric.dataset_meta = dict(classes=('background', 'thing'))
    metric.process({}, [result([[0, 1]], [[0, 1]])])
    assert set(metric.evaluate(1)) == {'aAcc', 'mDice', 'mAcc'}
