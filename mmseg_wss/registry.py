"""Registry nodes of the scope ``mmseg_wss``.

Their parents are mmengine's roots, and each node names the package its classes live in: configs
keep ``default_scope = 'mmseg'``, write ``type='mmseg_wss.X'``, and the class is imported on demand,
in a fresh process and from mmseg's own tools too.
"""
from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import EVALUATOR as MMENGINE_EVALUATOR
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

import mmseg_wss.utils.checkpoint_file  # noqa: F401 (checkpoints are read as data from here on)
import mmseg_wss.utils.packaged_configs  # noqa: F401 (mmseg_wss:: names configs from here on)


def _node(name, parent, location):
    return Registry(name, parent=parent, scope='mmseg_wss', locations=[location])


DATASETS = _node('dataset', MMENGINE_DATASETS, 'mmseg_wss.datasets')
DATA_SAMPLERS = _node('data sampler', MMENGINE_DATA_SAMPLERS, 'mmseg_wss.datasets.samplers')
TRANSFORMS = _node('transform', MMENGINE_TRANSFORMS, 'mmseg_wss.datasets.transforms')
MODELS = _node('model', MMENGINE_MODELS, 'mmseg_wss.models')
WEIGHT_INITIALIZERS = _node(
    'weight initializer', MMENGINE_WEIGHT_INITIALIZERS, 'mmseg_wss.models.backbones')
HOOKS = _node('hook', MMENGINE_HOOKS, 'mmseg_wss.engine.hooks')
PARAM_SCHEDULERS = _node(
    'parameter scheduler', MMENGINE_PARAM_SCHEDULERS, 'mmseg_wss.engine.schedulers')
METRICS = _node('metric', MMENGINE_METRICS, 'mmseg_wss.evaluation')
VISUALIZERS = _node(
    'visualizer', MMENGINE_VISUALIZERS, 'mmseg_wss.visualization.clear_visualizer')
EVALUATOR = _node('evaluator', MMENGINE_EVALUATOR, 'mmseg_wss.evaluation')
