"""The proposal masks of a data set: which are to be made, and each as a job for another process."""
import os.path as osp
from typing import NamedTuple

import numpy as np

from mmseg_wss.errors import DataError
from mmseg_wss.labels.boxes import box_hash
from mmseg_wss.labels.objects import load_objects
from mmseg_wss.proposals.propose import parse_method, propose
from mmseg_wss.utils.fileio import file_sha256
from mmseg_wss.version import __version__

# the pipeline of the data set of `MakeProposal`: pixels as training sees them, labels checked
LOADING = (dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'))


class Job(NamedTuple):
    """The arguments of `MakeProposal`'s call."""
    index: int  # in the data set
    name: str  # of the mask


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
            DataError: the image or its boxes are missing, unreadable or wrong, or it is unlabelled.
        """
        sample = self.dataset.prepare_data(index)
        if 'gt_bboxes' not in sample:
            raise DataError(f'{sample["img_path"]}: the image has no object, and with '
                            "empty='unlabelled' that is no label to make a mask from: remove it "
                            "from the list, or set empty='background' if it is known to be empty.")
        image = np.ascontiguousarray(sample['img'][..., ::-1])  # BGR from the loader
        return propose(image, sample['gt_bboxes'], sample['gt_bboxes_labels'], self.method,
                       self.options, self._mcg_path(name))

    def files_of(self, job):
        """The files that a library decodes for a `Job`, for the message if it crashes."""
        return [self.dataset.get_data_info(job.index)['img_path'], self._mcg_path(job.name)]

    def _mcg_path(self, name):
        return self.mcg_dir and osp.join(self.mcg_dir, f'{name}.mat')


def resolve_options(options):
    """Find the files that the options of methods name.

    Args:
        options (dict): see `propose`; ``options['sam']['model']`` may be a name of the Hugging Face
            hub.

    Returns:
        tuple: the options for `MakeProposal`, where it is a folder; those for `proposal_recipe`,
        where it is a name with a hash of the weights, wherever the folder is.

    Raises:
        DataError, ImportError: see `find_segmenter`.
    """
    if 'sam' not in options:
        return options, options
    from mmseg_wss.proposals.sam import describe_segmenter, find_segmenter  # needs transformers
    model = options['sam']['model']
    folder = find_segmenter(model)
    return ({**options, 'sam': dict(model=str(folder))},
            {**options, 'sam': describe_segmenter(model, folder)})


def proposal_recipe(method, options, classes):
    """The recipe of proposal masks, see `MaskFolder`.

    Args:
        method: see `propose`.
        options: see `resolve_options`.
        classes (Sequence[str]): class names, background first.
    """
    # mcg_dir: machines may mount it elsewhere, and its files count one by one (`find_stale`); the
    # key stays, since older masks have it
    return dict(tool='generate_proposals', version=__version__, method=method, options=options,
                mcg_dir=None, classes=list(classes))


def find_stale(images, classes, folder, mcg_dir=None):
    """The images whose masks are missing or made otherwise.

    Args:
        images (dict): `Job` -> element of ``load_data_list()``.
        classes (Sequence[str]): class names, background first.
        folder (MaskFolder): where their masks are.
        mcg_dir (str, optional): the folder of the MCG proposals that the masks are made from.

    Returns:
        tuple: dict of `Job` -> what the mask is made from, keyword arguments of
        `MaskFolder.write`; failures, dict of the name of a job -> what is wrong.
    """
    stale, failures = {}, {}
    for job, info in images.items():
        try:
            names, boxes, _ = load_objects(info, classes)
        except DataError as error:
            failures[job.name] = str(error)
            continue
        sources = dict(inputs=box_hash(names, boxes))
        mcg_path = mcg_dir and osp.join(mcg_dir, f'{job.name}.mat')
        if mcg_path and osp.isfile(mcg_path):  # where it is missing, the job says so
            sources['mcg_file'] = file_sha256(mcg_path)
        if not folder.is_done(job.name, **sources):
            stale[job] = sources
    return stale, failures
