"""Whether the weights of a checkpoint are those of the network that is to load them."""
import re

from mmengine.model import BaseTTAModel, is_model_wrapper

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.models.decode_heads.head_wrapper import HeadWrapper, wrap_keys
from mmseg_wss.models.decode_heads.two_branch_head import TwoBranchHead, bare_head_keys

_COUNTS = 'num_batches_tracked', '.mix_carry'
_REMEDIES = dict(
    predict='Name the checkpoint and the config of one training, with the same --cfg-options.',
    resume='A training resumes with the config that it was started with. To start a new one from '
           'these weights, set load_from=CHECKPOINT without --resume.',
    start='load_from is for the weights of a whole network; those of a backbone alone go into '
          "model.backbone.init_cfg=dict(type='Pretrained', checkpoint=...).")


def check_checkpoint(checkpoint, model, path, purpose):
    """Refuse a checkpoint of another network, before it is loaded; mmengine only warns.

    Loading it strictly comes too late: by then `widen_on_load` has adapted the weights, and an RGB
    network passes for one with priors.

    Args:
        checkpoint (dict): as loaded, with state_dict, or a state dict itself.
        model (nn.Module): the network, perhaps in wrappers of mmengine.
        path (str): of the file, for the message.
        purpose (str): what it is loaded for. 'predict': all that predictions need has to be there.
            'resume': names and shapes agree, and there is the state of a training. 'start': a
            weight of the backbone fits.

    Raises:
        DataError: with how many weights fit, which network it is of as far as it says, and the
            remedy.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    weights = checkpoint.get('state_dict', checkpoint) if isinstance(checkpoint, dict) else None
    if not isinstance(weights, dict):
        raise DataError(f'{path}: expected the weights of a network, a dict with state_dict; got a '
                        f'{type(checkpoint).__name__}. Name a checkpoint that a training wrote.')
    weights = _as_loaded(weights, model)
    if purpose == 'start':
        fits, number = _fitting(weights, model, 'backbone')
        faults = [] if fits or not number else ['none of the backbone fits']
    else:
        faults = weight_faults(weights, model, _unused(model) if purpose == 'predict' else ())
    if faults:
        counts = ', '.join('{} of the {} of {}'.format(*_fitting(weights, model, part), part)
                           for part in ('backbone', 'decode_head') if hasattr(model, part))
        raise DataError(
            f'{path}: the checkpoint is not of the network of the config. {_origin(checkpoint)}'
            f'Of its {len(weights)} weights, these fit: {counts or "not all"}. '
            f'Weights {"; ".join(faults)}. {_REMEDIES[purpose]}')
    if purpose == 'resume' and 'message_hub' not in checkpoint:
        raise DataError(f'{path}: the checkpoint has weights alone, not the state of a training, '
                        'so that none can be resumed. To start a new one from it, set '
                        'load_from=CHECKPOINT without --resume.')


def weight_faults(weights, model, unused=()):
    """How weights differ from those of a network.

    Counts of batches and images (``num_batches_tracked``, ``mix_carry``) do not matter, and neither
    do weights of whole parts (``auxiliary_head``) that the network does not have.

    Args:
        weights (dict[str, Tensor]): a state dict.
        model (nn.Module): the network.
        unused (Sequence[str]): beginnings of names that do not matter either.

    Returns:
        list[str]: up to three sentences; empty where they agree in names and shapes.
    """
    def shapes(state):
        return {key: tuple(value.shape) for key, value in state.items()
                if not key.endswith(_COUNTS) and not key.startswith(tuple(unused))}
    wanted, found = shapes(model.state_dict()), shapes(weights)
    parts = {key.split('.')[0] for key in model.state_dict()}
    missing = sorted(wanted.keys() - found.keys())
    further = sorted(key for key in found.keys() - wanted.keys() if key.split('.')[0] in parts)
    other = [f'{key} {found[key]} instead of {wanted[key]}'
             for key in sorted(wanted.keys() & found.keys()) if wanted[key] != found[key]]
    return [f'{len(lines)} {what}: {abridged(lines, 3)}' for lines, what in (
        (missing, 'missing'), (further, 'of no layer of the network'),
        (other, 'of another shape')) if lines]


def _as_loaded(weights, model):
    """A state dict with the names by which it is loaded."""
    weights = {key.removeprefix('module.'): value for key, value in weights.items()
               if isinstance(key, str)}
    for name, module in model.named_modules():
        # they take the weights of the bare head, too
        if isinstance(module, HeadWrapper):
            wrap_keys(weights, f'{name}.')
        elif isinstance(module, TwoBranchHead):
            bare_head_keys(weights, f'{name}.')
    return {key: value for key, value in weights.items() if hasattr(value, 'shape')}


def _unused(model):
    """What predictions do not need: a checkpoint of publish_strong.py has no weak branch."""
    names = ['auxiliary_head.']
    for name, module in model.named_modules():
        if isinstance(module, TwoBranchHead) and module.predict_branch == 'strong':
            names.append(f'{name}.weak_branch.')
    return names


def _fitting(weights, model, part):
    """How many weights of a part of the network fit in name and shape, and how many it has."""
    wanted = {key: value.shape for key, value in model.state_dict().items()
              if key.startswith(f'{part}.') and not key.endswith(_COUNTS)}
    return sum(key in weights and weights[key].shape == shape
               for key, shape in wanted.items()), len(wanted)


def _origin(checkpoint):
    """Which training a checkpoint is of, as a sentence; '' where it does not say."""
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, dict) else {}
    facts, name = [], meta.get('experiment_name')
    if isinstance(name, str):
        facts.append(f'of the training {re.sub("_[0-9]{8}_[0-9]{6}$", "", name)[:80]!r}')
    data = meta.get('dataset_meta')
    classes = data.get('classes') if isinstance(data, dict) else None
    if isinstance(classes, (list, tuple)):
        facts.append(f'for {len(classes)} classes')
    return f'It is {" ".join(facts)}. ' if facts else ''
