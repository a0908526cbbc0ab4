"""Note in checkpoints how large the network saw its images."""
from mmengine.hooks import Hook

from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.engine.hooks.setup_check_hook import leaves
from mmseg_wss.engine.scale_check import seen_sizes
from mmseg_wss.labels.facts import LabelFacts
from mmseg_wss.labels.formats.image_file import image_shape
from mmseg_wss.registry import HOOKS

MANY = 200  # images whose headers are read


@HOOKS.register_module()
class SeenSizeHook(Hook):
    """Add ``meta['seen_images']`` to each checkpoint: the size of the training's images.

    It is sqrt(area) in pixels as the network sees them, the median over the first source
    (`SeenSizes`). tools/predict.py warns where photographs are of another size.
    """

    def __init__(self):
        self._size = None

    def before_train(self, runner):
        source = next(leaves(runner.train_dataloader.dataset))
        config = runner.cfg.train_dataloader['dataset']
        if not isinstance(config, dict) or not hasattr(source, 'get_data_info'):
            return
        paths = [source.get_data_info(i)['img_path']
                 for i in range(0, len(source), -(-len(source) // MANY))]
        sizes = seen_sizes([LabelFacts(path, shape=image_shape(path)) for path in paths],
                           next(leaf_datasets(config)).get('pipeline', ()))
        self._size = sizes and sizes.seen_images

    def before_save_checkpoint(self, runner, checkpoint):
        if self._size is not None:
            checkpoint['meta']['seen_images'] = self._size
