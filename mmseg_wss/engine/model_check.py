"""Whether a config's model can be built, and learns from each of its training sources."""
import copy
import traceback

import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.runner import set_random_seed
from mmseg.models.segmentors import EncoderDecoder

from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.labels.kinds import KINDS
from mmseg_wss.models.segmentors.network_checks import check_segmentor
from mmseg_wss.registry import DATASETS, MODELS


def check_network(model, sources):
    """The segmentor and the data preprocessor pass on what the heads and the labels need.

    Args:
        model (nn.Module): the network, perhaps in a wrapper of mmengine.
        sources (Iterable[BaseDataset]): the training data.

    Raises:
        ConfigError: see `check_segmentor`; or mmseg's own segmentor, whose auxiliary heads need a
            mask of each image, and a source without masks.
    """
    model = model.module if is_model_wrapper(model) else model
    check_segmentor(model)
    if type(model) is not EncoderDecoder or not model.with_auxiliary_head:
        return
    for source in sources:
        kind = KINDS.get(getattr(source, 'supervision', None))
        if kind and not {'gt_seg_map', 'gt_bboxes'} & {*kind.fields}:  # boxes may become masks
            raise ConfigError(
                f'{source.ann_file}: its images have no masks, which the auxiliary heads of '
                "mmseg's EncoderDecoder need: set type='mmseg_wss.WeakEncoderDecoder' in model, "
                'which trains them with the other images.')


def model_faults(cfg):
    """Build the model, and run one batch with images of every source through its loss, on the CPU.

    It is as small as batch normalisation takes it: an image of each source, two of a single one. No
    weights are loaded, and no gradient is computed. What SyncBN would do, BN does.

    Args:
        cfg (mmengine.Config): a config with model and train_dataloader.

    Returns:
        list[str]: one line for each fault.
    """
    set_random_seed(0)
    try:
        model = build_model(cfg)
    except Exception as error:  # whatever a head or a backbone raises is a fault of the config
        return [f'model: it cannot be built: {_said(error)}']
    batch, faults = [], []
    try:
        dataset = DATASETS.build(copy.deepcopy(cfg.train_dataloader.dataset))
        sources = getattr(dataset, 'datasets', [dataset])
    except Exception as error:
        return [f'train_dataloader.dataset: {_said(error)}']
    for number, source in enumerate(sources):
        try:
            batch += [source[i % len(source)] for i in range(2 if len(sources) == 1 else 1)]
        except Exception as error:
            faults.append(f'training source {number}: its pipeline fails: {_said(error)}')
    if faults:
        return faults
    try:
        check_network(model, sources)
        with torch.no_grad():
            model(**model.data_preprocessor(pseudo_collate(batch), True), mode='loss')
    except Exception as error:
        faults.append('model: a batch with images of every source fails in the loss: '
                      f'{_said(error)}')
    return faults


def build_model(cfg):
    """The model of a config in training mode, on the CPU, without any file of weights."""
    config = _without_weights(copy.deepcopy(cfg.model))
    if cfg.get('data_preprocessor') is not None:
        config.setdefault('data_preprocessor', copy.deepcopy(cfg.data_preprocessor))
    return revert_sync_batchnorm(MODELS.build(config)).train()


def _without_weights(config):
    """Backbones of other packages load them as they are built; init_cfg is not carried out."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key == 'pretrained' and value:
                config[key] = False if value is True else None
            else:
                _without_weights(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            _without_weights(value)
    return config


def _said(error):
    """The message of an error; of one that speaks to no user also its type and place."""
    if isinstance(error, (ConfigError, DataError)):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f'{type(error).__name__}: {error} ({frame.filename}, line {frame.lineno})'
