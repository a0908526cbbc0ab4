"""The mean, or the maximum, of several trained networks."""
import torch
from mmengine.model import BaseModel
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint
from mmengine.structures import PixelData
from torch import nn

from mmseg_wss.models.checkpoint_fit import check_checkpoint
from mmseg_wss.registry import MODELS


@MODELS.register_module()
class EnsembleSegmentor(BaseModel):
    r"""Predict by the mean, or the largest, probability of several segmentors; it is not trained.

    .. math::
        F(x) = \sum_i \lambda_i F_i(x), \quad \sum_i \lambda_i = 1

    with F_i the softmax of network i at the size of the file, or with ``reduce='max'``

    .. math::
        F(x) = \max_i F_i(x) / \sum_c \max_i F_i(x)_c

    For two networks, one of strong and one of weak labels, these are the ensembles of Luo and
    Yang's dual-branch paper (section 3; the mean is eq. 4).

    Samples get ``seg_logits``, the logarithm of F, whose softmax is F itself, and
    ``pred_sem_seg``: whatever reads the predictions of one network reads those of the ensemble.

    Args:
        members (Sequence[dict]): of each network model (config, with its data preprocessor),
            weight (lambda_i, at least 0; of the mean alone) and checkpoint (path; None leaves it as
            it is built).
        reduce (str): 'mean' or 'max'.

    Raises:
        ValueError: no member; weights that are negative or do not sum to 1; networks of different
            classes, or of one channel (a sigmoid); an unknown `reduce`.
        DataError: a checkpoint that is not of its network.
    """

    def __init__(self, members, reduce='mean'):
        super().__init__()
        if reduce not in ('mean', 'max'):
            raise ValueError(f"reduce must be 'mean' or 'max', got {reduce!r}.")
        self.reduce = reduce
        weights = [member['weight'] if reduce == 'mean' else 1 / len(members)
                   for member in members]
        if not members or not all(w >= 0 for w in weights) or abs(sum(weights) - 1) > 1e-6:
            raise ValueError(f'the weights of an ensemble are at least 0 and sum to 1, '
                             f'got {weights}.')
        self.weights = weights
        self.members = nn.ModuleList(MODELS.build(member['model']) for member in members)
        channels = [member.out_channels for member in self.members]
        if len(set(channels)) > 1 or channels[0] < 2:
            raise ValueError('networks of an ensemble have a softmax over the same classes; these '
                             f'have {", ".join(map(str, channels))} channels.')
        for network, member in zip(self.members, members):
            if member.get('checkpoint'):
                _load(network, member['checkpoint'])

    @property
    def out_channels(self):
        """K, as of any segmentor."""
        return self.members[0].out_channels

    def test_step(self, data):
        """Predictions of a batch; each network prepares it in its own way.

        Args:
            data (dict): inputs and data_samples, as from the data loader.

        Returns:
            list[SegDataSample]: N predictions.
        """
        found = None
        for weight, network in zip(self.weights, self.members):
            samples = network.test_step(data)
            probs = [sample.seg_logits.data.softmax(0) for sample in samples]
            if self.reduce == 'mean':
                probs = [weight * one for one in probs]
            found = probs if found is None else [
                sofar + one if self.reduce == 'mean' else torch.maximum(sofar, one)
                for sofar, one in zip(found, probs)]
        for sample, probs in zip(samples, found):
            if self.reduce == 'max':
                probs = probs / probs.sum(0)
            sample.seg_logits = PixelData(
                data=probs.clamp_min(torch.finfo(probs.dtype).tiny).log())
            sample.pred_sem_seg = PixelData(data=probs.argmax(0, keepdim=True))
        return samples

    val_step = test_step

    def forward(self, inputs, data_samples=None, mode='tensor'):
        """An ensemble has predictions alone, from `test_step`.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError('EnsembleSegmentor is for tools/test.py; train its networks one '
                                  'by one.')


def _load(network, path):
    check_checkpoint(CheckpointLoader.load_checkpoint(path, map_location='cpu'), network, path,
                     'predict')
    load_checkpoint(network, path, map_location='cpu')
