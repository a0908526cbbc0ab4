import pytest
from mmengine.config import Config

from mmseg_wss.engine.inference_options import enable_drawing


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
