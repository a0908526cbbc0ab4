"""The tags of a batch."""
import torch


def sample_tags(samples):
    """The tags of N samples.

    Args:
        samples (list[SegDataSample]): N samples with gt_tags.

    Returns:
        Tensor: float (N, K), 1 for a class that is in the image, and for the background.

    Raises:
        ValueError: a sample without tags.
    """
    for sample in samples:
        if 'gt_tags' not in sample:
            raise ValueError(
                f"{sample.metainfo.get('img_path', 'a sample')}: it has no tags. Give its data "
                "set supervision='image' or 'box', and load labels with "
                'mmseg_wss.LoadWeakLabels.')
    return torch.stack([sample.gt_tags.float() for sample in samples])
