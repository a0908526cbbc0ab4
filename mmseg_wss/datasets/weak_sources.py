"""The weak images of a config, for tools that make masks for them."""
import copy

from mmseg_wss.datasets.config_check import leaf_datasets
from mmseg_wss.registry import DATASETS


def weak_sources(cfg, supervision='box', pipeline=(), ann_file=None):
    """Build the weak training sources of a config anew, without the masks that they may have.

    A source whose masks a program made ('pseudo') has them from its boxes, so it is read with
    `supervision` here: its masks need not exist yet.

    Args:
        cfg (mmengine.Config): a config; wrappers around its training data sets are looked through.
        supervision (str): what is read of the images: 'box', or 'image' where boxes are not needed.
        pipeline (Sequence[dict]): transforms.
        ann_file (str, optional): this list instead of those of the config, as one source.

    Returns:
        list[WeakSegDataset]: in test mode: ``prepare_data`` never draws another image.

    Raises:
        ValueError: the config has no weak source.
    """
    leaves = [leaf for leaf in leaf_datasets(cfg['train_dataloader']['dataset'])
              if leaf.get('supervision', 'pixel') != 'pixel']
    if not leaves:
        raise ValueError('no training source of the config has weak images (supervision other than '
                         "'pixel'): name a config that trains with them.")
    if ann_file is not None:
        leaves = [dict(leaves[0], ann_file=ann_file)]
    sources = []
    for leaf in leaves:
        leaf = copy.deepcopy(dict(leaf))
        for key in ('pseudo_mask', 'with_boxes', 'box_source'):
            leaf.pop(key, None)
        if supervision == 'box':
            leaf.pop('tag_file', None)
        sources.append(DATASETS.build(dict(
            leaf, supervision=supervision, pipeline=list(pipeline), test_mode=True)))
    return sources
