"""Base of the heads that predict with a strong and a weak branch."""
import logging
from abc import abstractmethod
from functools import partial
from numbers import Real

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.utils import add_prefix
from torch import nn

from mmseg_wss.errors import ConfigError
from mmseg_wss.labels.checks.class_check import check_class_number
from mmseg_wss.labels.kinds import is_truth
from mmseg_wss.models.decode_heads.batch_fields import check_masks, masks_of, supervisions_of
from mmseg_wss.models.decode_heads.batch_parts import losses_of_parts, resting_losses, take
from mmseg_wss.models.decode_heads.branch_losses import divergence, losses_of_logits
from mmseg_wss.models.decode_heads.head_checks import check_one_map, has_own_loss, one_map
from mmseg_wss.models.decode_heads.head_conventions import check_labels_of
from mmseg_wss.models.decode_heads.kind_log import KindLog, label_sums
from mmseg_wss.models.decode_heads.routing import route_samples
from mmseg_wss.registry import MODELS


class Branch(BaseModule):
    """Layers of one branch, dropout, and the classifier: (N, C, h, w) -> logits (N, K, h, w).

    The classifier starts at N(0, 0.01), as that of every mmseg head does.
    """

    def __init__(self, layers, channels, out_channels, dropout_ratio):
        super().__init__(dict(type='Normal', std=0.01, override=dict(name='conv_seg')))
        self.layers = layers
        self.dropout = nn.Dropout2d(dropout_ratio) if dropout_ratio else nn.Identity()
        self.conv_seg = nn.Conv2d(channels, out_channels, 1)

    def forward(self, features):
        return self.conv_seg(self.dropout(self.layers(features)))


def bare_head_keys(state_dict, prefix, *_):
    """Keys of a bare head -> those of `feature_head`, which has no classifier."""
    own = [key for key in state_dict if key.startswith(prefix)]
    if not any(key.startswith(f'{prefix}feature_head.') for key in own):
        for key in own:
            value, name = state_dict.pop(key), key[len(prefix):]
            if not name.startswith('conv_seg.'):
                state_dict[f'{prefix}feature_head.{name}'] = value


def _restore_carry(head, incompatible_keys):
    head._carry = int(head.mix_carry)


class TwoBranchHead(BaseDecodeHead):
    """Shared features, then a strong and a weak branch that are trained on different images.

    The features come from any mmseg decode head, whose classifier is replaced by identity, and
    then a shared neck, if the subclass has one. `route_samples` says which samples train which
    branch; each branch computes its own samples only. The loss is the sum of both branches'
    losses, each averaged over the labelled pixels of its own samples (dual-branch, eq. 3). A branch
    without samples in a step returns the same keys, as zeros with a gradient path, so that all
    ranks reduce the same gradients. (With SyncBN in the branches, every rank needs images for both
    in every step, as `StrongWeakSampler` gives them: the other ranks wait for a rank that skips
    a branch.)

    A checkpoint of `feature_head` as a head of its own can be loaded as it is, to go on from there:
    its features are taken, and the neck and the branches start anew.

    A subclass writes the layers: `_build_layers`, and `_build_neck` if it has a neck.

    Args:
        feature_head (dict): config of an mmseg decode head; its num_classes and loss do not matter.
            It keeps its own dropout, in front of the shared features.
        num_classes (int): K, with the background.
        channels (int, optional): channels in front of the classifiers; those of `feature_head` when
            None.
        mix_ratio (tuple[int, int], optional): see `route_samples`.
        strong_in_weak_branch (bool): strong images, with their masks, train the weak branch too.
        kl_weight (float): weight of loss_kl, the mean over the pixels of all images of KL(strong ||
            weak), the divergence between both branches' probabilities (eq. 1 of dual-branch's
            supplement, where it does harm). With it each branch computes all samples.
        predict_branch (str | float): 'strong', 'weak', or a number lambda in [0, 1] for the mean of
            both branches' probabilities, lambda * weak + (1 - lambda) * strong (dual-branch,
            eq. 4).
        weak_branch (bool): False builds the head without it: for inference with a checkpoint of
            tools/model_converters/publish_strong.py, or to train the network that is left, with
            strong and weak images alike (mixed dual head, figure 5a: the baseline).
        dropout_ratio (float): dropout in front of the classifier of each branch.
        loss_decode (dict | list[dict]): the loss or losses of each branch.
        log_kinds (int): where weak images have labels of several kinds, look every so many steps
            what each kind does, for the log (`KindLog`); 0 does not. It changes no training. The
            strong branch predicts the weak images for it, as it is used for inference.
        **kwargs: see ``mmseg.models.BaseDecodeHead``.

    Raises:
        ConfigError: more than 255 classes; `feature_head` needs more than the backbone's maps or
            gives more than one map, as OCRHead and DAHead do (of heads that are none of mmseg's
            this shows in training), or has no classifier to replace, or a loss of its own.
        ValueError: a bad `mix_ratio`, `kl_weight` or `predict_branch`, or one that needs the weak
            branch where it is switched off. In training: a sample without supervision or mask.
    """

    def __init__(self, feature_head, *, num_classes, channels=None, mix_ratio=None,
                 strong_in_weak_branch=False, kl_weight=0., predict_branch='strong',
                 weak_branch=True, dropout_ratio=0.,
                 loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True), log_kinds=10,
                 **kwargs):
        check_class_number(num_classes, type(self).__name__)
        feature_head = MODELS.build({**feature_head, 'num_classes': num_classes})
        check_one_map(feature_head, f'feature_head of {type(self).__name__}')
        if (not isinstance(getattr(feature_head, 'conv_seg', None), nn.Conv2d)
                or has_own_loss(feature_head)):
            raise ConfigError(
                f'feature_head {type(feature_head).__name__} has no classifier conv_seg to be '
                'replaced, or a loss of its own, which would not be used: take a head that '
                'classifies with BaseDecodeHead.cls_seg, such as FCNHead.')
        super().__init__(
            feature_head.channels, channels or feature_head.channels, num_classes=num_classes,
            dropout_ratio=dropout_ratio, loss_decode=loss_decode, init_cfg=None,
            **{'align_corners': feature_head.align_corners, **kwargs})
        del self.conv_seg, self.dropout  # each branch has its own
        feature_head.conv_seg = nn.Identity()

        self._register_load_state_dict_pre_hook(bare_head_keys)
        self.feature_head = feature_head
        self.neck = self._build_neck()
        self.strong_branch = self._build_branch()
        self.weak_branch = self._build_branch() if weak_branch else None
        self.mix_ratio = mix_ratio
        self.strong_in_weak_branch = strong_in_weak_branch
        self.kl_weight = kl_weight
        self.predict_branch = predict_branch
        self._check_options()
        check_labels_of(self)

        self.log_kinds = log_kinds if self.out_channels > 1 else 0  # one channel has no softmax
        self._kind_log, self._steps = KindLog(), 0
        self._carry, self._warned = 0, False
        if mix_ratio is not None and weak_branch:
            # The copy of the carry that checkpoints hold. It is read on loading alone: reading it
            # at every step would make the CPU wait for the GPU.
            self.register_buffer('mix_carry', torch.zeros((), dtype=torch.long))
            self.register_load_state_dict_post_hook(_restore_carry)

    def _check_options(self):
        lam = self.predict_branch
        is_weight = isinstance(lam, Real) and not isinstance(lam, bool) and 0 <= lam <= 1
        if lam not in ('strong', 'weak') and not is_weight:
            raise ValueError("predict_branch must be 'strong', 'weak' or a number in [0, 1] (the "
                             f'weight of the weak branch), got {lam!r}.')
        if is_weight and self.out_channels == 1:
            raise ValueError(f'predict_branch={lam} averages softmax probabilities, but '
                             "out_channels=1 has none: use 'strong' or 'weak'.")
        if self.kl_weight < 0 or (self.kl_weight and self.out_channels == 1):
            raise ValueError(f'kl_weight={self.kl_weight}: expected a weight of 0 or more, and 0 '
                             'with out_channels=1, which has no softmax.')
        if self.weak_branch is None and lam != 'strong':
            raise ValueError(
                f"predict_branch={lam!r} needs the weak branch, but weak_branch=False.")
        ratio = self.mix_ratio
        if ratio is not None and not (
                isinstance(ratio, (tuple, list)) and len(ratio) == 2
                and all(isinstance(r, int) and r > 0 for r in ratio)):
            raise ValueError(f'mix_ratio must be two positive integers, as in (7, 1), or None to '
                             f'keep the branches apart; got {ratio!r}.')

    @abstractmethod
    def _build_layers(self):
        """The layers of a branch: (N, `in_channels` or the neck's, h, w) -> (N, channels, h, w)."""

    def _build_neck(self):
        """The layers between `feature_head` and both branches."""
        return nn.Identity()

    def _build_branch(self):
        return Branch(self._build_layers(), self.channels, self.out_channels, self.dropout_ratio)

    def forward(self, inputs):
        """Logits of the branch or branches that `predict_branch` names; the other is not computed.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone.

        Returns:
            Tensor: (N, K, h, w); for a mean of both branches the logarithm of the mean
            probability, whose softmax is the mean probability.
        """
        features = self._shared_features(inputs)
        if self.predict_branch == 'strong':
            return self.strong_branch(features)
        if self.predict_branch == 'weak':
            return self.weak_branch(features)
        lam = self.predict_branch
        mean = (lam * self.weak_branch(features).softmax(1)
                + (1 - lam) * self.strong_branch(features).softmax(1))
        return mean.clamp_min(torch.finfo(mean.dtype).tiny).log()

    def _shared_features(self, inputs):
        return self.neck(one_map(
            self.feature_head, inputs, f'feature_head of {type(self).__name__}'))

    def loss(self, inputs, batch_data_samples, train_cfg, part_loss=None):
        """Losses of the branches, with the keys strong.* and weak.*; loss_kl, if it has a weight.

        For the log alone: weak.share.KIND and weak.agree.KIND, see `log_kinds`.

        Args:
            inputs (Sequence[Tensor]): feature maps of the backbone for N images.
            batch_data_samples (list[SegDataSample]): N samples, with gt_sem_seg and, in their
                metainfo, supervision; with `kl_weight` also valid.
            train_cfg (dict): not used.
            part_loss (Callable, optional): (logits of a branch, the samples that train it, their
                numbers in the batch) -> losses, in place of ``loss_by_feat``; the samples then need
                what it reads.

        Returns:
            dict[str, Tensor]: scalars.
        """
        log_kinds = part_loss is None and self.log_kinds
        if part_loss is None:
            check_masks(batch_data_samples)

            def part_loss(logits, samples, members):
                return self.loss_by_feat(logits, samples)
        features = self._shared_features(inputs)
        if self.weak_branch is None:
            losses = part_loss(self.strong_branch(features), batch_data_samples,
                               list(range(len(batch_data_samples))))
            return {f'strong.{name}': value for name, value in losses.items()}
        strong, weak = self._route(batch_data_samples)
        logits_of_all = []

        def loss_of(branch, members, samples):
            if self.kl_weight:
                logits_of_all.append(branch(features))
            if not members:
                return resting_losses(self, branch)
            logits = (take(logits_of_all[-1], members) if self.kl_weight
                      else branch(take(features, members)))
            return part_loss(logits, samples, members)

        losses = losses_of_parts(batch_data_samples, dict(
            strong=(strong, partial(loss_of, self.strong_branch), 1),
            weak=(weak, partial(loss_of, self.weak_branch), 1)))
        if self.kl_weight:
            losses['loss_kl'] = self.kl_weight * divergence(*logits_of_all, batch_data_samples)
        if log_kinds:
            losses.update(add_prefix(self._values_of_kinds(features, batch_data_samples), 'weak'))
        return losses

    @torch.no_grad()
    def _values_of_kinds(self, features, samples):
        """See `KindLog`; looked at in every `log_kinds`-th step, and given in each."""
        weak = [i for i, kind in enumerate(supervisions_of(samples)) if not is_truth(kind)]
        kinds = [samples[i].supervision for i in weak]
        if self._steps % self.log_kinds == 0 and len(set(kinds)) > 1:
            branches, features = (self.weak_branch, self.strong_branch), take(features, weak)
            for branch in branches:
                branch.eval()  # no dropout, and no running mean changes
            logits = [branch(features) for branch in branches]
            for branch in branches:
                branch.train(self.training)
            self._kind_log.add(kinds, label_sums(*logits, masks_of([samples[i] for i in weak])))
        self._steps += 1
        return self._kind_log.values()

    def _route(self, samples):
        kinds = supervisions_of(samples)
        strong, weak, self._carry = route_samples(kinds, self.mix_ratio, self._carry)
        if self.mix_ratio is not None:
            self.mix_carry.fill_(self._carry)
            if self._carry >= self.mix_ratio[0] and not self._warned:
                self._warned = True
                print_log(
                    f'a batch of {kinds.count("pixel")} strong and {len(weak)} weak images has too '
                    f'few weak ones for mix_ratio={self.mix_ratio}: give weak images a larger '
                    'share in source_ratio.', logger='current', level=logging.WARNING)
        return strong, list(range(len(kinds))) if self.strong_in_weak_branch else weak

    def loss_by_feat(self, seg_logits, batch_data_samples):
        """See ``mmseg.models.BaseDecodeHead.loss_by_feat``; no GPU is waited for."""
        return losses_of_logits(self, seg_logits, batch_data_samples)
