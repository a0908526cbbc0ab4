"""Dense energy for any head: training with points and scribbles."""
import torch
from mmseg.models.utils import resize

from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.models.decode_heads.batch_fields import check_masks, valid_of
from mmseg_wss.models.decode_heads.batch_parts import take
from mmseg_wss.models.decode_heads.em_head import EMHead
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of
from mmseg_wss.models.decode_heads.head_wrapper import HeadWrapper
from mmseg_wss.models.decode_heads.two_branch_head import TwoBranchHead
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DenseEnergyHead(HeadWrapper):
    """An mmseg decode head whose loss also has the dense energy of its probabilities.

    The head's own loss reads the labelled pixels, the energy all pixels of the image: neighbours of
    like colour are to be labelled alike (rloss, Tang et al., ECCV 2018; RRM, eq. 8).

    Of a two-branch head, the energy is that of each branch on the images that train it. Of an
    `EMHead`, images need no masks: their estimated labels train the head, and the energy takes what
    has no mask for unlabelled.

    Args:
        head (dict): config of the decode head. Its losses average over labelled pixels
            (CrossEntropyLoss: ``avg_non_ignore=True``), since few are.
        loss_energy (dict): config of the energy.
        num_classes (int, optional): see `HeadWrapper`.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ConfigError: see `check_labels_of` and `HeadWrapper`; a head of one channel, which has no
            softmax.
    """

    takes_image = True
    needs_masks = property(lambda self: not isinstance(self.head, EMHead))
    inner_heads = TwoBranchHead, EMHead

    def __init__(self, head, loss_energy=dict(type='mmseg_wss.DenseEnergyLoss'), num_classes=None,
                 init_cfg=None):
        super().__init__(head, num_classes, init_cfg)
        if self.out_channels < 2:
            raise ConfigError('the dense energy needs a softmax over the classes, but the head '
                              'predicts one channel: set out_channels=num_classes in it.')
        check_labels_of(self.head)
        self.loss_energy = MODELS.build(loss_energy)

    def loss(self, inputs, batch_data_samples, train_cfg, *, image):
        """The head's losses, and loss_energy.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples with valid and gt_sem_seg, or what
                an `EMHead` inside reads.
            train_cfg (dict): not used.
            image (Tensor): float (N, 3, H, W), RGB in 0..255.

        Returns:
            dict[str, Tensor]: scalars.
        """
        if self.needs_masks:
            check_masks(batch_data_samples)
        parts = []

        def part_loss(logits, samples, members):
            parts.append((logits, members))
            return self.head.loss_by_feat(logits, samples)

        losses = self.loss_of_parts(inputs, batch_data_samples, train_cfg, part_loss)
        losses[self.loss_energy.loss_name] = self._energy(parts, batch_data_samples, image)
        return losses

    def _energy(self, parts, samples, image):
        """Energy of all logits that a loss was computed of; an image may be in several parts."""
        members = [number for _, part in parts for number in part]
        logits = torch.cat([logits for logits, _ in parts])
        probs = resize(logits, image.shape[-2:], mode='bilinear',
                       align_corners=self.align_corners).softmax(1)
        unlabelled = image.new_full(image.shape[-2:], IGNORE).long()
        masks = torch.stack([sample.gt_sem_seg.data[0] if 'gt_sem_seg' in sample else unlabelled
                             for sample in samples])
        return self.loss_energy(take(image, members), probs, take(masks, members),
                                take(valid_of(samples), members))
