"""An alarm when the labels that a training sees have collapsed."""
from collections import defaultdict

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from mmseg_wss.datasets.samplers import StrongWeakSampler
from mmseg_wss.engine.hooks.setup_check_hook import leaves
from mmseg_wss.errors import abridged
from mmseg_wss.labels.checks.collapse_check import MaskCounts, collapse_warning, find_collapses
from mmseg_wss.labels.kinds import is_partial, is_truth
from mmseg_wss.registry import HOOKS


@HOOKS.register_module()
class LabelShareHook(Hook):
    """Count the labels that the batches carry, and warn once where those of a source collapse.

    `find_collapses` says what counts as a collapse; the masks of each weak source are compared with
    those of the strong images that have the same classes. Samples without a mask are not counted.
    Nor are those that a data set calls unlabelled (``empty='unlabelled'``).

    The masks are counted as the data loader gives them, on the CPU, every second row: less than a
    millisecond for 8 masks of 224x224, and no GPU is waited for. The counts of all ranks are put
    together when they are judged.

    With another sampler than `StrongWeakSampler`, it is not known which data set a sample is of:
    all with the same supervision are one source then.

    Args:
        first (int): judge after so many steps of this process,
        interval (int): and again, what came since, after so many more.

    Raises:
        ValueError: a number below 1.
    """

    def __init__(self, first=100, interval=500):
        if first < 1 or interval < 1:
            raise ValueError(f'first and interval count steps, 1 or more; got {first}, {interval}.')
        self.first, self.interval = first, interval
        self._told = set()  # (source, what, label)
        self._steps = 0

    def before_train(self, runner):
        loader = runner.train_dataloader
        sampler, dataset = loader.sampler, loader.dataset
        parts, self._parts_of_batch = [dataset], None
        if isinstance(sampler, StrongWeakSampler):
            parts = getattr(dataset, 'datasets', parts)
            self._parts_of_batch = np.repeat(np.arange(len(parts)), sampler.counts).tolist()
        self._lists = defaultdict(list)  # a source, (part, supervision) -> its data sets
        for part, whole in enumerate(parts):
            for leaf in leaves(whole):
                self._lists[part, getattr(leaf, 'supervision', 'pixel')].append(leaf)
        self._counts = defaultdict(MaskCounts)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        samples = data_batch['data_samples']
        for part, sample in zip(self._parts_of_batch or [0] * len(samples), samples):
            source = part, sample.metainfo.get('supervision', 'pixel')
            if 'gt_sem_seg' in sample and source in self._lists:
                self._counts[source].add(
                    sample.metainfo.get('img_path'), sample.gt_sem_seg.data[0, ::2].byte().numpy(),
                    'gt_tags' in sample and not sample.gt_tags[1:].any())

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self._steps += 1
        if self._steps >= self.first and (self._steps - self.first) % self.interval == 0:
            for warning in self._judge():
                runner.logger.warning(warning)
            self._counts.clear()

    def _judge(self):
        counts, strong = defaultdict(MaskCounts), defaultdict(MaskCounts)
        for of_rank in all_gather_object(dict(self._counts)):
            for source, count in of_rank.items():
                counts[source] += count
        for source, count in counts.items():
            if is_truth(source[1]):
                strong[self._classes(source)] += count
        return [warning for source in sorted(counts) if not is_truth(source[1])
                for warning in self._warnings(source, counts[source],
                                              strong[self._classes(source)])]

    def _classes(self, source):
        return tuple(self._lists[source][0].metainfo.get('classes') or ())

    def _warnings(self, source, weak, strong):
        classes = self._classes(source)
        found = find_collapses(weak, strong, len(classes), is_partial(source[1]))
        for what, labels in found.items():
            new = [label for label in labels if (source, what, label) not in self._told]
            self._told.update((source, what, label) for label in new)
            if new:
                part, kind = source
                lists = abridged([getattr(leaf, 'ann_file', '') for leaf in self._lists[source]], 2)
                yield (f'The labels of source {part} ({lists}, supervision={kind!r}) may have '
                       f'collapsed: {collapse_warning(what, new, weak, strong, classes)} Look at '
                       'them (tools/browse_dataset.py CONFIG) and see how they were made. If the '
                       'images are like that, all is well.')
