"""What a checkpoint says of its network and of its classes."""
from typing import NamedTuple

from mmengine.registry import init_default_scope

from mmseg_wss.engine.config_check import class_numbers
from mmseg_wss.engine.config_sources import leaf_datasets
from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.formats.class_names import devkit_classes, read_class_names
from mmseg_wss.labels.palette import class_palette
from mmseg_wss.models.decode_heads import TwoBranchHead
from mmseg_wss.registry import MODELS
from mmseg_wss.utils.checkpoint_file import load_from_local


class TrainedNetwork(NamedTuple):
    """What a checkpoint says of its training."""
    classes: tuple  # names, background first
    palette: tuple  # a colour for each, RGB in 0..255
    seen_images: float | None  # see `SeenSizeHook`; None where it does not say


def prepare_network(cfg, checkpoint):
    """Fit a config to a checkpoint of its training, or to what was published of it.

    A published checkpoint (`publish_strong`) gets a head without the weak branch. The classes are
    those that the checkpoint was trained with, so that no data of the training are needed; where it
    does not say, those of the test data set.

    Args:
        cfg (mmengine.Config): changed in place.
        checkpoint (str): the file.

    Returns:
        TrainedNetwork

    Raises:
        ConfigError: the names are not as many as the classes of the network.
        DataError: the file is no checkpoint.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    loaded = load_from_local(checkpoint, map_location='cpu')
    loaded = loaded if isinstance(loaded, dict) else {}
    head = cfg.model.decode_head
    weights = loaded.get('state_dict', loaded)
    if _is_two_branch(head.type) and not any(
            'decode_head.weak_branch.' in key for key in weights):
        head.weak_branch = False
    facts = loaded.get('meta') or {}
    meta = facts.get('dataset_meta') or {}
    names = tuple(meta.get('classes') or _configured_classes(cfg))
    number, *_ = class_numbers(head) or [len(names)]
    if len(names) != number:
        remedy = ('Give the config of its training' if meta.get('classes') else
                  "Set test_dataloader.dataset.metainfo to dict(classes='FILE'), with a name a "
                  'line, the background first')
        raise ConfigError(
            f'{checkpoint}: there are {len(names)} names of classes ({", ".join(names[:4])}, ...), '
            f'but the network of {cfg.filename} has {number} classes. {remedy}.')
    palette = meta.get('palette') or class_palette(names)
    return TrainedNetwork(names, tuple(map(tuple, palette)), facts.get('seen_images'))


def _is_two_branch(kind):
    with MODELS.switch_scope_and_registry(None) as models:  # finds heads of mmseg, as a build does
        head = models.get(kind)
    return isinstance(head, type) and issubclass(head, TwoBranchHead)


def _configured_classes(cfg):
    """The names of the test data set, which is not built: its images may be elsewhere."""
    leaf = next(leaf_datasets(cfg.test_dataloader.dataset))
    classes = (leaf.get('metainfo') or {}).get('classes')
    if classes is None:
        return devkit_classes(leaf.get('data_root') or '')
    return read_class_names(classes) if isinstance(classes, str) else classes
