"""Dense energy for any head: training with points and scribbles."""
from mmseg.models.utils import resize

from mmseg_wss.models.decode_heads.batch_fields import masks_of, valid_of
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of
from mmseg_wss.models.decode_heads.head_wrapper import HeadWrapper
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class DenseEnergyHead(HeadWrapper):
    """An mmseg decode head whose loss also has the dense energy of its probabilities.

    The head's own loss reads the labelled pixels, the energy all pixels of the image: neighbours of
    like colour are to be labelled alike (rloss, Tang et al., ECCV 2018; RRM, eq. 8).

    Args:
        head (dict): config of the decode head. Its losses average over labelled pixels
            (CrossEntropyLoss: ``avg_non_ignore=True``), since few are.
        loss_energy (dict): config of the energy.
        init_cfg (dict, optional): see ``mmengine.model.BaseModule``.

    Raises:
        ConfigError: see `check_labels_of`.
    """

    takes_image = True

    def __init__(self, head, loss_energy=dict(type='mmseg_wss.DenseEnergyLoss'), init_cfg=None):
        super().__init__(head, init_cfg)
        check_labels_of(self.head)
        self.loss_energy = MODELS.build(loss_energy)

    def loss(self, inputs, batch_data_samples, train_cfg, *, image):
        """The head's losses, and loss_energy.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples with gt_sem_seg and valid.
            train_cfg (dict): not used.
            image (Tensor): float (N, 3, H, W), RGB in 0..255.

        Returns:
            dict[str, Tensor]: scalars.
        """
        logits = self.logits(inputs)
        losses = self.head.loss_by_feat(logits, batch_data_samples)
        probs = resize(logits, image.shape[-2:], mode='bilinear',
                       align_corners=self.align_corners).softmax(1)
        losses[self.loss_energy.loss_name] = self.loss_energy(
            image, probs, masks_of(batch_data_samples), valid_of(batch_data_samples))
        return losses
