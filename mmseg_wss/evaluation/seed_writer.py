"""Write seeds of class activation maps."""
import torch

from mmseg_wss.evaluation.pseudo_mask_writer import PseudoMaskWriter
from mmseg_wss.pseudo_labels.seeds import cam_seeds, check_thresholds
from mmseg_wss.registry import METRICS


@METRICS.register_module()
class SeedWriter(PseudoMaskWriter):
    """A "metric" that writes the seeds in the activation maps of a `CAMEncoderDecoder`.

    It is a `PseudoMaskWriter` over `cam_seeds`.

    Args:
        out_dir, recipe, targets: see `PseudoMaskWriter`; every target needs tags.
        fg_threshold, bg_threshold (float): see `cam_seeds`.
        **kwargs: see ``mmengine.evaluator.BaseMetric``.

    Raises:
        ValueError: see `cam_seeds`.
    """

    def __init__(self, out_dir, recipe, targets, fg_threshold, bg_threshold, **kwargs):
        check_thresholds(fg_threshold, bg_threshold)
        super().__init__(out_dir, recipe, targets, tau=0., **kwargs)  # seeds have no tau
        self.thresholds = fg_threshold, bg_threshold

    def _mask(self, sample, target):
        cams = sample['seg_logits']['data'][1:]
        tags = torch.zeros(len(cams), dtype=torch.bool, device=cams.device)
        tags[[label - 1 for label in target.tags if label > 0]] = True
        seeds = cam_seeds(cams[None], tags[None], *self.thresholds)[0]
        return seeds.to(torch.uint8).cpu().numpy()
