"""Write masks of what a network is sure of."""
import torch
from mmengine.dist import get_dist_info
from mmengine.evaluator import BaseMetric
from PIL import Image

from mmseg_wss.evaluation.box_masks import box_mask, box_method, fill_ignored
from mmseg_wss.evaluation.process_counts import sum_over_processes
from mmseg_wss.evaluation.refine import class_probabilities, gated
from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.labels.stores.mask_target import confidence_path
from mmseg_wss.ops.crf_presets import CRF_PRESETS
from mmseg_wss.pseudo_labels.gates import label_gates
from mmseg_wss.registry import METRICS
from mmseg_wss.utils.fileio import atomic_path


def threshold_labels(probs, tau, tau_classes=None):
    r"""The most probable class of a pixel where the network is sure of it, else 255.

    .. math::
        \tilde y(p) = \arg\max_c \hat y^c(p) \text{ where } \max_c \hat y^c(p) > \tau

    Source: Chen et al., Mixed-dual-head Meets Box Priors, equation 3.

    Args:
        probs (Tensor): (K, H, W), floating point; K at most 255. Of classes with the same
            probability the first one is taken.
        tau (float): 0..1; a probability must be greater, in the precision of `probs`.
        tau_classes (dict[int, float], optional): classes -> thresholds of their own.

    Returns:
        Tensor: uint8 (H, W), on the device of `probs`.

    Raises:
        ValueError: tau outside 0..1, or more classes than a mask can hold.
    """
    for one in (tau, *(tau_classes or {}).values()):
        _check_tau(one)
    if len(probs) > IGNORE:
        raise ValueError(f'a mask of 8 bits holds up to {IGNORE} classes, got {len(probs)}.')
    highest, labels = probs.max(0)
    kept = highest > tau
    for index, own in (tau_classes or {}).items():
        kept = torch.where(labels == index, highest > own, kept)
    return torch.where(kept, labels, IGNORE).to(torch.uint8)


def _check_tau(tau):
    if not 0 <= tau <= 1:  # NaN too
        raise ValueError(f'tau is a probability, 0 to 1; got {tau}.')


@METRICS.register_module()
class PseudoMaskWriter(BaseMetric):
    """A "metric" that writes the predictions of each image as a pseudo mask, and counts pixels.

    The probabilities are a sample's ``seg_probs`` (`ProbTTAModel`), else the softmax of its
    ``seg_logits``, both (K, H, W) at the size of the file. Then, in this order:
    `gated` by the target's labels, with the CRF, and `threshold_labels`.
    Each process writes the images that it gets; nothing but the counts goes from one to another.

    Args:
        out_dir (str): folder of the masks, see `MaskFolder`.
        recipe (dict): all that the masks depend on, see `MaskFolder`.
        targets (dict[str, MaskTarget]): path of an image (``img_path``) -> its mask.
        tau (float): see `threshold_labels`. A target with a choice has its own, some of its
            classes too, and its own CRF, or is made of its label alone.
        crf (dict, optional): refine the probabilities with these options of
            `mmseg_wss.ops.dense_crf`.
        box_gate (bool): the boxes of the targets exclude classes, too, not only their tags and
            clicks.
        present (bool): what the labels name is in the image (`gate_probabilities`).
        soft (bool): also write the largest probability p as round(255 p), 8 bit, see
            `confidence_path`.
        **kwargs: see ``mmengine.evaluator.BaseMetric``.

    Raises:
        ValueError: tau outside 0..1.
    """
    default_prefix = 'pseudo_masks'

    def __init__(self, out_dir, recipe, targets, tau, crf=None, box_gate=False, soft=False,
                 present=False, **kwargs):
        super().__init__(**kwargs)
        _check_tau(tau)
        self.out_dir, self.recipe, self.targets = out_dir, recipe, targets
        self.tau, self.crf, self.box_gate, self.soft = tau, crf, box_gate, soft
        self.present = present
        self.folder = MaskFolder(out_dir, recipe, shard=get_dist_info())

    def process(self, data_batch, data_samples):
        """Write the masks of a batch.

        Args:
            data_batch: not used.
            data_samples (Sequence[dict]): predictions, see above.

        Raises:
            ValueError: a sample has one channel only (a sigmoid), or a size that contradicts the
                image of the CRF.
        """
        for sample in data_samples:
            target = self.targets[sample['img_path']]
            mask = self._mask(sample, target)
            kept = int((mask != IGNORE).sum())
            self.folder.write(target.name, mask, target.inputs, kept=kept, pixels=mask.size,
                              **target.facts)
            self.results.append((1, kept, mask.size))

    def _mask(self, sample, target):
        """The mask of a sample, uint8 (H, W)."""
        probs, choice = class_probabilities(sample), target.choice or dict(source='teacher')
        source, method = choice['source'], box_method(choice['source'])
        if source == 'clicks':
            return read_mask(target.clicks)
        of_boxes = method and box_mask(
            method, sample['img_path'], target.boxes, target.box_labels, probs.shape[1:])
        if source == method:
            return of_boxes
        tau, crf, own = self.tau, self.crf, {}
        if target.choice is not None:
            tau, crf = choice['tau'], CRF_PRESETS.get(choice['crf'])
            own = {self.recipe['classes'].index(name): own
                   for name, own in choice.get('tau_classes', {}).items()}
        possible, present = self._gates(target, probs)
        probs = gated(probs, possible, sample['img_path'], crf, present if self.present else None)
        mask = threshold_labels(probs, tau, own).cpu().numpy()
        if method:
            mask = fill_ignored(mask, of_boxes)
        if self.soft:  # before the mask: a mask never lacks this file
            _write_confidence(confidence_path(self.out_dir, target.name), probs)
        return mask

    def _gates(self, target, probs):
        """The `label_gates` of an image."""
        labels = {}
        if target.tags is not None:
            labels['tags'] = torch.isin(torch.arange(len(probs)), torch.tensor(target.tags))
        if self.box_gate and target.boxes is not None:
            labels.update(boxes=torch.as_tensor(target.boxes, dtype=torch.float32),
                          box_labels=torch.tensor(target.box_labels, dtype=torch.int64))
        if target.clicks is not None:
            labels['clicks'] = torch.from_numpy(read_mask(target.clicks))
        return label_gates(probs.shape[1:], len(probs), **{
            name: label.to(probs.device) for name, label in labels.items()})

    def evaluate(self, size):
        """`compute_metrics` of all processes.

        Raises:
            RuntimeError: see `sum_over_processes`.
        """
        counts = torch.tensor(self.results, dtype=torch.int64).reshape(-1, 3).sum(0)
        self.results.clear()
        self.folder.close()
        metrics = self.compute_metrics([sum_over_processes(counts, size)])
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

    def compute_metrics(self, results):
        """Totals.

        Args:
            results (list[tuple]): numbers of images, labelled pixels and pixels.

        Returns:
            dict: images (int) and coverage (float), the share of pixels that are not 255.
        """
        images, kept, pixels = map(sum, zip(*results))
        return dict(images=images, coverage=kept / pixels)


def _write_confidence(path, probs):
    values = (probs.max(0).values * 255).round().to(torch.uint8).cpu().numpy()
    with atomic_path(path) as temporary:
        Image.fromarray(values).save(temporary)
