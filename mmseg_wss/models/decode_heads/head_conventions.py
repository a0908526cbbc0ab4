"""What a head may tell the segmentors and hooks of this package about itself."""
from dataclasses import dataclass, fields
from typing import Callable, Optional

from torch import nn

from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.label_check import IGNORE


def has_mask(sample):
    """Whether a sample has gt_sem_seg."""
    return 'gt_sem_seg' in sample


@dataclass(frozen=True)
class HeadConventions:
    """Attributes beyond those of mmseg's ``BaseDecodeHead``, and what a head without them gets.

    A head has any of them under the same name, as a class attribute, an attribute, a property or a
    method; mmseg's own heads have none. Read them with `conventions_of`.

    Attributes:
        needs_masks (bool): ``loss`` reads the gt_sem_seg of each sample; False for heads that train
            with other labels, too, and see to it themselves.
        learns_from (Callable): sample -> whether ``loss`` can read it. As an auxiliary head it gets
            no others; as the decode head it says what is missing.
        takes_image (bool): ``loss`` gets ``image=``, float (N, 3, H, W), RGB in 0..255.
        extra_scales (Sequence[float]): ``loss`` gets ``scaled_inputs=``, for each of these scales
            the backbone's features of the scaled image, without gradient.
        predict_tags (bool): `tag_scores` are added to the predicted samples.
        tag_scores (Callable, optional): feature maps -> probabilities of the objects, (N, K - 1).
        activation_maps (Callable, optional): feature maps -> class activation maps, float
            (N, K - 1, h, w), not negative. The head also has scales, those of the image at which
            the maps are averaged.
        classify_only (bool, optional): whether a head with two phases is in its first one, in which
            only its classifier is trained. `ClassifyFirstHook` sets it. None: no phases.
        segmentation_parameters (Callable, optional): () -> the parameters that rest in that phase.
        label_counts (tuple[int], optional): numbers of classes that the labels of a training image
            may have; None: `num_classes` alone.
    """
    needs_masks: bool = True
    learns_from: Callable = has_mask
    takes_image: bool = False
    extra_scales: tuple = ()
    predict_tags: bool = False
    tag_scores: Optional[Callable] = None
    activation_maps: Optional[Callable] = None
    classify_only: Optional[bool] = None
    segmentation_parameters: Optional[Callable] = None
    label_counts: Optional[tuple] = None


def check_labels_of(head):
    """Refuse a head that takes the labels of this package's masks for others.

    Args:
        head (nn.Module): a decode head of mmseg, or one with the same attributes.

    Raises:
        ConfigError: another ignore_index than 255, of the head or a loss; a loss that is a mean
            over pixels without a label too, which shrinks with their share; more or fewer class
            weights than classes; one output for more than two classes.
    """
    name = type(head).__name__
    losses = losses_in(head)
    for owner in (head, *losses):
        index = getattr(owner, 'ignore_index', IGNORE)
        if index != IGNORE:
            whose = '' if owner is head else f', in its {type(owner).__name__}'
            raise ConfigError(f'{name} has ignore_index={index}{whose}, but pixels without a label '
                              f'are {IGNORE} in all masks here: remove it.')
    if getattr(head, 'out_channels', None) == 1 and head.num_classes != 2:
        raise ConfigError(f'{name} has out_channels=1, which tells an object from the background, '
                          f'but num_classes={head.num_classes}: remove out_channels.')
    for loss in losses:
        if not getattr(loss, 'avg_non_ignore', True):
            raise ConfigError(
                f'{type(loss).__name__} of {name} averages over pixels without a label, too, so '
                'that it shrinks with their share: set avg_non_ignore=True in its loss_decode.')
        weights = getattr(loss, 'class_weight', None)
        if weights is not None and len(weights) != head.num_classes and head.out_channels != 1:
            raise ConfigError(
                f'{type(loss).__name__} of {name} has {len(weights)} weights of classes, but the '
                f'head has num_classes={head.num_classes}: give class_weight a number for each, '
                'background first.')


def losses_in(head):
    """The losses of a decode head of mmseg, which has one, a list, or none."""
    losses = getattr(head, 'loss_decode', [])
    return losses if isinstance(losses, (list, nn.ModuleList)) else [losses]


def conventions_of(head):
    """The `HeadConventions` of a head as it is now, with the defaults for what it does not have.

    Args:
        head (nn.Module): any decode head.
    """
    return HeadConventions(**{field.name: getattr(head, field.name)
                              for field in fields(HeadConventions) if hasattr(head, field.name)})
