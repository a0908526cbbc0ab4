import pytest
from mmengine.config import Config

from mmseg_wss.engine.inference_options import enable_drawing, enable_tta


@pytest.mark.parametrize('given, drawn', [
    ('SegLocalVisualizer', 'mmseg_wss.ClearVisualizer'),
    ('mmseg.SegLocalVisualizer', 'mmseg_wss.ClearVisualizer'), ('MyVisualizer', 'MyVisualizer')])
def test_pictures_of_a_test_leave_the_background_clear(given, drawn):
    cfg = Config(dict(visualizer=dict(type=given, alpha=0.3),
                      default_hooks=dict(visualization=dict(type='SegVisualizationHook'))))
    enable_drawing(cfg, show_dir='pictures')
    assert cfg.visualizer == dict(type=drawn, alpha=0.3, save_dir='pictures')
    assert cfg.default_hooks.visualization == dict(
        type='SegVisualizationHook', draw=True, interval=1)


def test_views_of_every_data_set_inside_wrappers():
    """A wrapper, which mmengine's are, takes no pipeline of its own."""
    wrapped = dict(type='ConcatDataset', datasets=[
        dict(type='RepeatDataset', times=1, dataset=dict(pipeline=['one'])),
        dict(pipeline=['one'])])
    cfg = Config(dict(model=dict(type='Net'), tta_model=dict(type='SegTTAModel'),
                      tta_pipeline=['views'], test_dataloader=dict(dataset=wrapped)))
    enable_tta(cfg, keep_probs=False)
    assert cfg.test_dataloader.dataset == dict(type='ConcatDataset', datasets=[
        dict(type='RepeatDataset', times=1, dataset=dict(pipeline=['views'])),
        dict(pipeline=['views'])])
    assert cfg.model == dict(type='SegTTAModel', module=dict(type='Net'))
