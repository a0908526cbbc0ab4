"""Backbone, sizes and schedule of a training."""
import math

from mmseg_wss.planning.records import Choice
from mmseg_wss.planning.rules import (
    BATCH,
    CROP,
    LARGEST_BATCH,
    LARGEST_SCALE,
    LEAST_MEMORY,
    MEMORY_OF_512,
    MEMORY_USED,
    SCALE,
    SMALLEST_SEEN,
    STEP_OF_SIZES,
    STEP_SECONDS,
    STEPS,
    USUAL_SCALE,
    VALIDATED,
)


def choose_backbone(machine, head):
    """'efflite0' or 'r50', and `Choice`s."""
    if machine.device == 'cpu' or head == 'rrm' or machine.memory < LEAST_MEMORY:
        reason = (f'it trains on {machine.name}' if machine.device == 'cpu' else
                  'the network that RRM was run with here' if head == 'rrm' else
                  f'{machine.name} has less than {LEAST_MEMORY:g} GB')
        return 'efflite0', [Choice('backbone', 'EfficientNet-Lite0, DeepLabV3+ with 128 channels',
                                   reason, 'efflite0')]
    return 'r50', [Choice('backbone', 'ResNet-50, DeepLabV3+',
                          f'{machine.name} can train it', 'r50')]


def choose_sizes(facts, machine, backbone, network):
    """Scale, crop and batch, and `Choice`s."""
    device, long_side = machine.device, max(facts.size)
    usual = max(SCALE, min(USUAL_SCALE[device], _multiple(long_side)))
    scale, reason, figure = usual, f'photographs of {facts.size[0]}x{facts.size[1]} pixels', 'scale'
    share, which = _smallest_objects(facts)
    seen = share * math.sqrt(facts.size[0] * facts.size[1]) * scale / long_side
    if seen < SMALLEST_SEEN:  # not of nan
        wanted = _multiple(scale * SMALLEST_SEEN / seen)
        scale = max(usual, min(wanted, LARGEST_SCALE[device], _multiple(long_side)))
        reason = (f'{which} would be seen with less than {math.ceil(seen)} pixels at {usual}'
                  + ('' if scale >= wanted else '; the photographs have no more pixels'
                     if scale >= _multiple(long_side) else f'; {device} does no more'))
        figure = 'rare'
    batch = max(BATCH, 2 * (len(network.sources) - 1))
    batch += batch % 2
    choices = []
    if backbone == 'r50':
        scale, batch, choice = _fitted(scale, batch, machine)
        choices.append(choice)
    elif batch > BATCH:
        choices.append(Choice('batch', f'{batch} images', 'each kind of label has one', ''))
    else:
        choices.append(Choice(
            'batch', f'{batch} images', 'as in all that was measured', 'scale'))
    crop = crop_of(scale)
    choices.insert(0, Choice('size', f'images of {scale} pixels (long side), x0.75 to x1.5, crops '
                             f'of {crop}', reason, figure))
    return scale, crop, batch, choices


def _smallest_objects(facts):
    """What the size must show: the size of objects, as `DataFacts.small_objects`, and which.

    A class of small objects counts however rare it is: a tenth of all objects would not tell of it.
    """
    sizes = [(facts.small_objects, 'a tenth of the objects')]
    sizes += [(math.sqrt(area), f'half of the objects of {name}')
              for name, area in facts.class_areas.items()]
    return min(sizes, key=lambda size: math.inf if math.isnan(size[0]) else size[0])


def crop_of(scale):
    """The crop that a scale has: as 224 of 320."""
    return _multiple(scale * CROP / SCALE, math.floor)


def _multiple(side, rounded=math.ceil):
    return STEP_OF_SIZES * max(1, rounded(side / STEP_OF_SIZES))


def _fitted(scale, batch, machine):
    """The largest scale, then batch, whose crops a GPU holds."""
    room = MEMORY_USED * machine.memory / MEMORY_OF_512

    def fits(scale, batch):
        return batch * (crop_of(scale) / 512) ** 2 <= room

    while scale > SCALE and not fits(scale, batch):
        scale -= STEP_OF_SIZES
    while batch + 2 <= LARGEST_BATCH and fits(scale, batch + 2):
        batch += 2
    return scale, batch, Choice(
        'batch', f'{batch} images', f'so many crops of {crop_of(scale)} should need '
        f'{batch * (crop_of(scale) / 512) ** 2 * MEMORY_OF_512:.0f} of {machine.memory:.0f} GB',
        'memory')


def choose_steps(facts, machine, crop, batch, trainings, judged):
    """Steps, steps between validations, and `Choice`s.

    Args:
        trainings (int): networks that are trained, those of the judge included.
        judged (bool): two of them are the judge's.
    """
    steps = STEPS[machine.device]
    interval = next(steps for most, steps in VALIDATED if facts.val <= most)
    if machine.device == 'cpu':
        times = (crop / CROP) ** 2 * batch / BATCH
        low, high = (times * seconds * steps / 3600 for seconds in STEP_SECONDS)
        return steps, interval, [
            Choice('schedule', f'{steps} steps, AdamW, poly', 'more brought nothing', 'steps'),
            Choice('time', f'{_hours(low, high, trainings)}', f'{trainings} training'
                   + 's' * (trainings > 1) + ', two of them for the judge' * judged
                   + ', on one core, by the number of pixels; without validations', 'seconds')]
    return steps, interval, [Choice(
        'schedule', f'{steps} steps, AdamW, poly', 'a GPU makes more of them than a CPU; look at '
        'the curve and change max_iters', 'r50')]


def _hours(low, high, times):
    """A duration for the user, of so many trainings of `low` to `high` hours."""
    low, high = low * times, high * times
    return f'{60 * low:.0f} to {60 * high:.0f} minutes' if high < 1.5 else (
        f'{low:.1f} to {high:.1f} hours')
