"""The proposal mask of an image of a data set, as a job for another process."""
import os.path as osp

import numpy as np

from mmseg_wss.proposals.propose import parse_method, propose

# the pipeline of the data set of `MakeProposal`: pixels as training sees them, labels checked
LOADING = (dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'))


class MakeProposal:
    """A function that makes the proposal mask of an image; it can be pickled.

    Args:
        dataset (WeakSegDataset): with ``supervision='box'``, the pipeline `LOADING` and
            ``test_mode=True``.
        method, options: see `propose`.
        mcg_dir (str, optional): folder of MCG proposals, ``ID.mat``, for the method 'mcg' and for
            it only.

    Raises:
        ValueError: see `parse_method`.
    """

    def __init__(self, dataset, method, options=None, mcg_dir=None):
        parse_method(method, options)
        self.dataset = dataset
        self.method = method
        self.options = options
        self.mcg_dir = mcg_dir

    def __call__(self, index, name):
        """Make the mask of image `index`, whose ID is `name`.

        Returns:
            np.ndarray: uint8 (H, W), class indices, 255 ignored.

        Raises:
            DataError: the image or its boxes are missing, unreadable or wrong.
        """
        sample = self.dataset.prepare_data(index)
        image = np.ascontiguousarray(sample['img'][..., ::-1])  # BGR from the loader
        mcg_path = self.mcg_dir and osp.join(self.mcg_dir, f'{name}.mat')
        return propose(image, sample['gt_bboxes'], sample['gt_bboxes_labels'], self.method,
                       self.options, mcg_path)
