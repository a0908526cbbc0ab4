"""DSRG: seeds that grow while a network learns from them (Huang et al., CVPR 2018)."""
import torch

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.models.decode_heads.batch_fields import masks_of, valid_of
from mmseg_wss.models.decode_heads.head_wrapper import HeadWrapper
from mmseg_wss.models.decode_heads.label_shrinking import shrink
from mmseg_wss.models.losses.seeding import (
    FLOOR,
    balanced_seeding_loss,
    boundary_loss,
    floored_softmax,
    normalise,
)
from mmseg_wss.ops import dense_crf
from mmseg_wss.pseudo_labels.region_growing import grow_seeds
from mmseg_wss.pseudo_labels.valid_rectangles import valid_rectangles
from mmseg_wss.registry import MODELS

# The paper's CRF. Its maps have 41 x 41 pixels, so distances are a twelfth of the full image's.
CRF = dict(iterations=10, sxy_gaussian=3 / 12, compat_gaussian=3, sxy_bilateral=80 / 12, srgb=13,
           compat_bilateral=10)


@MODELS.register_module()
class DSRGHead(HeadWrapper):
    """An mmseg decode head that learns from seeds, and lets them grow over what it is sure of.

    In each step, at the resolution of the head's logits, with p their softmax:

    1. A dense CRF of p on the image gives q; it has no gradient.
    2. The seeds, those of the file in every step anew, grow by q (`grow_seeds`).
    3. The losses are the cross entropy of p for the grown seeds (`balanced_seeding_loss`) and the
       divergence of p from q (`boundary_loss`). The head's own loss is not used.

    Seeds are masks in which almost all pixels are 255, of data sets with ``supervision='pseudo'``
    (any mask will do: a full one has nothing to grow to). Seeds, image and padding are taken at
    every s-th pixel, as the released code does with 321 x 321 pixels and 41 x 41 scores. The
    classes that an image has compete for its pixels: those of its gt_tags, where they are known,
    seeded or not, and those of its seeds.

    Args:
        head (dict): config of the decode head. Its loss is not used.
        fg_threshold, bg_threshold (float): what the network is sure of, see `grow_seeds`.
        unary (str): what the CRF starts from. 'log': the usual energy, -log p. 'prob': -p, as in
            the released code, so that the network is hardly heard.
        crf (dict): options of `dense_crf`; those that are not given are the paper's.
        loss_weights (tuple[float, float]): of the seeding and of the boundary loss.
        num_classes (int, optional): see `HeadWrapper`.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ConfigError: a head that `HeadWrapper` does not take.
        ValueError: an unknown `unary`, or a head with a single output channel. In training: a
            sample without a mask, a seed that is no class.
    """

    takes_image = True

    def __init__(self, head, fg_threshold=0.85, bg_threshold=0.99, unary='log', crf=dict(),
                 loss_weights=(1., 1.), num_classes=None, init_cfg=None):
        super().__init__(head, num_classes, init_cfg)
        if unary not in ('log', 'prob'):
            raise ValueError(f"unary must be 'log' or 'prob', got {unary!r}.")
        if self.out_channels < 2:
            raise ValueError('DSRG needs a softmax over the classes, but the head predicts one '
                             'channel: set out_channels=num_classes in it.')
        self.fg_threshold, self.bg_threshold = fg_threshold, bg_threshold
        self.unary, self.crf = unary, {**CRF, **crf}
        self.loss_weights = tuple(loss_weights)

    def loss(self, inputs, batch_data_samples, train_cfg, *, image):
        """The two losses.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples with gt_sem_seg, the seeds, and
                valid; gt_tags where they are known.
            train_cfg (dict): not used.
            image (Tensor): float (N, 3, H, W), RGB in 0..255.

        Returns:
            dict[str, Tensor]: scalars: loss_seed, loss_boundary, and seeded, the share of the
            image's pixels that are seeds after growing.
        """
        probs = floored_softmax(self.logits(inputs))
        shape = probs.shape[2:]
        valid = shrink(valid_of(batch_data_samples), shape)
        seeds = shrink(masks_of(batch_data_samples, 'seeds'), shape).masked_fill(~valid, IGNORE)
        refined = self._refine(probs.detach(), shrink(image, shape), valid)
        tags = _classes_of(batch_data_samples, seeds, probs.shape[1])
        grown = grow_seeds(refined, seeds, tags, self.fg_threshold, self.bg_threshold)
        return dict(
            loss_seed=self.loss_weights[0] * balanced_seeding_loss(probs, grown),
            loss_boundary=self.loss_weights[1] * boundary_loss(probs, refined, valid),
            seeded=(grown != IGNORE).sum() / valid.sum().clamp(min=1))

    def _refine(self, probs, image, valid):
        """q, (N, K, h, w): at least 1e-4 (before it is normalised), and 0 on padding."""
        start = probs.softmax(1) if self.unary == 'prob' else probs  # log of it: p, or log p
        refined = torch.zeros_like(probs)
        for members, rows, columns in valid_rectangles(valid):
            place = members, slice(None), rows, columns
            refined[place] = normalise(
                dense_crf(start[place], image[place], **self.crf).clamp(min=FLOOR))
        return refined


def _classes_of(samples, seeds, classes):
    """The classes that images have, or have seeds of, (N, `classes`)."""
    tags = torch.zeros(len(seeds), IGNORE + 1, dtype=torch.bool, device=seeds.device)
    tags = tags.scatter_(1, seeds.flatten(1), True)[:, :classes]
    for row, sample in zip(tags, samples):
        if 'gt_tags' in sample:
            row |= sample.gt_tags.bool()
    return tags
