"""What the steps of a pipeline do to an image, from their config alone."""
import math

from mmcv.image import rescale_size


def transform_name(step):
    """The name of a transform's class, without its scope.

    Args:
        step (dict | Callable): the config of a transform, or a built one.
    """
    kind = step['type'] if isinstance(step, dict) else type(step)
    return kind.split('.')[-1] if isinstance(kind, str) else kind.__name__


def decodes_with_opencv(pipeline):
    """Whether a pipeline loads images as colours by OpenCV, as ``LoadImageFromFile`` does unless it
    is told otherwise. A pipeline that loads no image, as one that is still to be set, does too.

    Args:
        pipeline (Sequence): configs of transforms, or built ones.
    """
    for step in pipeline:
        name = transform_name(step)
        if 'Load' in name and 'Image' in name:
            return name == 'LoadImageFromFile' and all(
                _option(step, key, default) == default
                for key, default in dict(imdecode_backend='cv2', color_type='color').items())
    return True


def _option(step, name, default):
    return step.get(name, default) if isinstance(step, dict) else getattr(step, name, default)


def vanishing_step(pipeline, shape):
    """The step that can leave no row or no column of an image: it is too thin to be made smaller.

    Args:
        pipeline (Sequence): configs of transforms; of those that resize, ``Resize``,
            ``RandomResize``, ``RandomChoiceResize`` and `RandomScale` are looked at, with the
            smallest size that they can draw.
        shape (tuple): (H, W) of the image.

    Returns:
        tuple or None: the name of the step, and the (H, W) that it leaves.
    """
    height, width = shape
    for step in pipeline:
        name = transform_name(step)
        sizes = [_resized(step, (width, height), target)
                 for target in _targets(name, step, (width, height))]
        width, height = min(sizes, key=min, default=(width, height))
        if not min(width, height):
            return name, (height, width)
    return None


def resize_factors(pipeline, shape):
    """The smallest and the largest factor by which a pipeline may resize an image.

    A factor is that of a length: sqrt(pixels after / pixels before).

    Args:
        pipeline (Sequence): see `vanishing_step`.
        shape (tuple): (H, W) of the image.
    """
    low = high = before = shape[1], shape[0]
    for step in pipeline:
        name = transform_name(step)
        low, high = (choose([_resized(step, size, target) for target in _targets(name, step, size)],
                            key=math.prod, default=size)
                     for choose, size in ((min, low), (max, high)))
    return tuple(math.sqrt(math.prod(size) / math.prod(before)) for size in (low, high))


def _targets(name, step, size):
    """The (W, H) that a step may resize to, before the ratio is kept; the two ends of a range."""
    if not isinstance(step, dict):
        return []
    if name == 'RandomScale':
        return [_times(size, ratio) for ratio in step['ratio_range']]
    if name == 'Resize' and step.get('scale') is None:
        return [_times(size, step['scale_factor'])]
    if name == 'RandomResize' and step.get('ratio_range'):
        return [tuple(int(side * ratio) for side in step['scale'])
                for ratio in step['ratio_range']]
    if name == 'RandomResize':
        return [tuple(map(end, zip(*step['scale']))) for end in (min, max)]
    scales = dict(Resize=[step.get('scale')], RandomChoiceResize=step.get('scales', ()))
    return [(scale, scale) if isinstance(scale, int) else scale for scale in scales.get(name, ())]


def _times(size, factor):
    factors = factor if isinstance(factor, (tuple, list)) else (factor, factor)
    return tuple(int(side * f + 0.5) for side, f in zip(size, factors))


def _resized(step, size, target):
    keeps_ratio = step.get('keep_ratio', transform_name(step) == 'RandomScale')
    # a target without area is what comes out of it
    return rescale_size(size, tuple(target)) if keeps_ratio and min(target) else tuple(target)
