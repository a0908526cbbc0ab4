"""Which classes are named, when, and how often."""
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

from mmseg_wss.engine.hooks import ZeroIoUHook
from mmseg_wss.evaluation import ClassIoUMetric

FOUND = {'mIoU': 0., 'aAcc': 0., 'IoU/background': 97.1, 'IoU/disc': 0.01}


class Runner(SimpleNamespace):
    """At an iteration of 90; keeps what is warned of."""

    def __init__(self, iteration, **head):
        self.warnings = []
        super().__init__(iter=iteration, max_iters=90,
                         model=SimpleNamespace(decode_head=SimpleNamespace(**head)),
                         logger=SimpleNamespace(warning=self.warnings.append))


def warnings(hook, iteration, metrics):
    runner = Runner(iteration)
    hook.after_val_epoch(runner, metrics=metrics)
    return runner.warnings


def test_each_class_is_named_once_with_what_to_do():
    hook = ZeroIoUHook()
    text, = warnings(hook, 30, {**FOUND, 'IoU/tree top': 0., 'IoU/star': 0})
    assert text.startswith("'tree top', 'star': IoU 0 on val after 30 of 90 iterations")
    for word in ('object_prob', 'repeat_threshold', 'DiceLoss', 'crop_size', 'own_data.md'):
        assert word in text
    assert not warnings(hook, 45, {**FOUND, 'IoU/tree top': 0., 'IoU/star': 0.2})
    text, = warnings(hook, 60, {**FOUND, 'IoU/star': 0., 'IoU/disc': 0.})
    assert text.startswith("'disc': IoU 0 on val after 60 of 90") and 'star' not in text


@pytest.mark.parametrize('iteration', [0, 1, 29])  # 0: a validation without a training
def test_nothing_is_said_in_the_first_third(iteration):
    assert not warnings(ZeroIoUHook(), iteration, {'IoU/disc': 0.})


def test_nothing_is_said_while_the_classifier_is_trained_alone():
    """As by RRM's head in its first phase: it predicts no masks then."""
    for classify_only in (True, False):
        runner = Runner(60, classify_only=classify_only)
        ZeroIoUHook().after_val_epoch(runner, metrics={'IoU/disc': 0.})
        assert bool(runner.warnings) != classify_only


def test_the_share_is_an_option():
    assert warnings(ZeroIoUHook(share=0.), 1, {'IoU/disc': 0.})
    assert not warnings(ZeroIoUHook(share=1), 89, {'IoU/disc': 0.})
    with pytest.raises(ValueError, match='share'):
        ZeroIoUHook(share=1.1)


@pytest.mark.parametrize('metrics', [None, {}, FOUND, {'mIoU': 0., 'mAcc': 0.}])
def test_nothing_is_said_without_a_class_at_0(metrics):
    assert not warnings(ZeroIoUHook(), 89, metrics)


def test_with_the_metric_of_the_configs():
    """Background found, disc missed, star in no mask and in no prediction."""
    MMLogger.get_instance('test_of_zero_iou')
    metric = ClassIoUMetric(iou_metrics=['mIoU'])
    metric.dataset_meta = dict(classes=['background', 'disc', 'star'])
    truth, found = np.array([[0, 0, 1, 255]]), np.zeros((1, 4), int)
    metric.process({}, [dict(gt_sem_seg=dict(data=torch.from_numpy(truth)),
                             pred_sem_seg=dict(data=torch.from_numpy(found)[None]))])
    text, = warnings(ZeroIoUHook(), 30, metric.evaluate(1))
    assert text.startswith("'disc': IoU 0") and 'star' not in text and 'background' not in text
