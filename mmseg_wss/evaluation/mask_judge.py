"""Judge sources of masks on images whose masks are known."""
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dist import all_reduce, collect_results
from mmengine.evaluator import BaseMetric

from mmseg_wss.errors import DataError
from mmseg_wss.evaluation.box_masks import box_mask, box_method, fill_ignored
from mmseg_wss.evaluation.mask_quality import image_counts, mask_scores
from mmseg_wss.evaluation.mask_worth import (
    ImageWorth,
    class_gains,
    own_taus,
    worth_counts,
    worth_error,
    worth_parts,
    worth_scores,
)
from mmseg_wss.evaluation.pseudo_mask_writer import threshold_labels
from mmseg_wss.evaluation.refine import class_probabilities, gated
from mmseg_wss.labels.formats.mask_file import read_mask, write_mask
from mmseg_wss.labels.stores.mask_folder import label_path
from mmseg_wss.pseudo_labels.gates import label_gates
from mmseg_wss.simulation.weak_label_jobs import MakeWeakLabel

TAUS = 0., 0.5, 0.7, 0.9, 0.95
TRIMAP_WIDTH = 3
COVERAGE = 0.8  # masks that keep less are not chosen for what they are right at


class Candidate(NamedTuple):
    """A way to make the masks of weak images."""
    kind: str  # supervision of the images, which says what gates the masks
    # 'teacher': a network; 'clicks': points or scribbles alone; a way to make masks of boxes alone
    # (`check_box_method`), such as 'rect'; 'teacher+rect': a network where it is sure, else boxes
    source: str
    tau: float | None = None  # of a teacher: what it keeps (`threshold_labels`)
    crf: str | None = None  # of a teacher: one of `CRF_PRESETS`
    tau_classes: dict | None = None  # of a teacher: names of classes -> thresholds of their own


def candidates_of(kinds, taus=TAUS, crfs=(None, ), box_methods=('rect', )):
    """The candidates for images with these kinds of labels.

    Args:
        kinds (Sequence[str]): of 'none', 'image', 'box', 'point', 'scribble'.
        taus (Sequence[float]): thresholds of the teacher.
        crfs (Sequence[str | None]): names of `CRF_PRESETS`, None for no CRF.
        box_methods (Sequence[str]): ways to make masks of boxes alone (`check_box_method`).

    Returns:
        list[Candidate]: kind after kind.
    """
    own = dict(box=box_methods, point=['clicks'], scribble=['clicks'])
    return [candidate for kind in kinds for candidate in (
        *(Candidate(kind, source) for source in own.get(kind, ())),
        *(Candidate(kind, 'teacher', tau, crf) for crf in crfs for tau in taus),
        *(Candidate(kind, f'teacher+{method}', tau, crf) for method in box_methods
          for crf in crfs for tau in taus if tau and kind == 'box'))]


def simulated_labels(kind, classes, name, img_path, mask_path, instance_path=None):
    """The weak labels that an image would have, by its true mask.

    Args:
        kind (str): see `candidates_of`.
        classes (Sequence[str]): class names, background first.
        name, img_path, mask_path, instance_path: see `MakeWeakLabel`.

    Returns:
        dict[str, np.ndarray]: what `possible_classes` takes.
    """
    def make(what):
        return MakeWeakLabel(what, classes)(name, img_path, mask_path, instance_path)

    if kind == 'none':
        return {}
    if kind == 'box':
        names, boxes, *_ = make('boxes')
        return dict(boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
                    box_labels=np.array([classes.index(name) for name in names], np.int64))
    if kind == 'image':
        present = [classes.index(name) for name in make('tags')]
        labels = {}
    else:
        labels = dict(clicks=make(f'{kind}s'))
        present = np.setdiff1d(labels['clicks'], (0, 255))
        if not len(present):  # the background alone was clicked: nothing is excluded
            return labels
    tags = np.zeros(len(classes), np.uint8)
    tags[[0, *present]] = 1
    return dict(labels, tags=tags)


@dataclass(frozen=True)
class JudgedImage:
    """An image whose mask is known: its ID, and its files."""
    name: str
    img_path: str
    mask_path: str
    instance_path: str | None = None


class MaskJudge(BaseMetric):
    """Scores of mask sources on strong images, by the predictions of a network that never saw them.

    For each image, the weak labels that it would have follow from its mask (`simulated_labels`). Of
    these and the network's prediction each candidate makes a mask, in the way in which
    ``tools/generate_pseudo_masks.py --gate`` and `box_mask` do, and its pixels are counted against
    the truth and against the network's own labels (`worth_counts`).

    Args:
        images (dict[str, JudgedImage]): path of an image -> its files.
        classes (Sequence[str]): class names, background first.
        candidates (Sequence[Candidate]): those of a kind together (`candidates_of`).
        crf_options (dict): name of a CRF -> options of `mmseg_wss.ops.dense_crf`.
        predictions (str, optional): a folder to write the network's own labels into, ID.png.
        reference (str, optional): such a folder of other networks: what these know is what counts,
            in place of what the network itself knows.
        **kwargs: see ``mmengine.evaluator.BaseMetric``.

    Attributes:
        worth (list[ImageWorth]): of each image; in the main process alone, after `evaluate`.
        quality (np.ndarray): int64 (number of candidates, 3, K + 1, K + 1), see `image_counts`.
    """
    default_prefix = 'judge'

    def __init__(self, images, classes, candidates, crf_options=None, predictions=None,
                 reference=None, **kwargs):
        super().__init__(**kwargs)
        self.predictions, self.reference = predictions, reference
        self.images, self.classes = images, list(classes)
        self.candidates, self.crf_options = list(candidates), crf_options or {}
        self.worth, self.quality = [], 0

    def process(self, data_batch, data_samples):
        """Count the pixels of a batch of predictions (`class_probabilities`)."""
        for sample in data_samples:
            worth, quality = self.judge(
                class_probabilities(sample).cpu(), self.images[sample['img_path']])
            self.quality = self.quality + quality
            self.results.append(worth)

    def judge(self, probs, image):
        """The counts of one image.

        Args:
            probs (Tensor): float (K, H, W), of the network.
            image (JudgedImage): its files.

        Returns:
            tuple: its `ImageWorth`, and its part of `quality`.
        """
        truth, number = read_mask(image.mask_path).astype(np.uint8), len(self.classes)
        masks = list(self._masks(probs, image))
        known = self._known(probs, image.name, truth)
        counts = np.stack([worth_counts(mask, known, truth, number) for mask in masks])
        gains = np.stack([class_gains(mask, known, truth, number) for mask in masks])
        return (ImageWorth(counts, gains[:, counts[0, :, 0] > 0]),
                image_counts(masks, truth, number, TRIMAP_WIDTH))

    def _known(self, probs, name, truth):
        """The labels that masks are to be better than, uint8 (H, W)."""
        labels = probs.argmax(0).numpy().astype(np.uint8)
        if self.predictions is not None:
            write_mask(label_path(Path(self.predictions), name, '.png'), labels)
        if self.reference is None:
            return labels
        path = label_path(Path(self.reference), name, '.png')
        known = read_mask(path)
        if known.shape != truth.shape:
            raise DataError(f'{path}: a prediction of shape {known.shape}, but the mask of the '
                            f'image has {truth.shape}: the image was changed. Judge the first '
                            'networks again, too.')
        return known

    def _masks(self, probs, image):
        """The mask of each candidate, uint8 (H, W)."""
        shape, gates, refined, made = probs.shape[1:], {}, {}, {}

        def of_boxes(method):
            if method not in made:
                made[method] = box_mask(method, image.img_path, labels['boxes'],
                                        labels['box_labels'], shape)
            return made[method]

        for kind, source, tau, crf, _ in self.candidates:
            if kind not in gates:
                labels = simulated_labels(kind, self.classes, **vars(image))
                gates[kind] = labels, *label_gates(shape, len(probs), **{
                    name: torch.from_numpy(label) for name, label in labels.items()})
            labels, gate, present = gates[kind]
            method = box_method(source)
            if source == 'clicks':
                yield labels['clicks']
            elif source == method:
                yield of_boxes(method)
            else:
                if (kind, crf) not in refined:
                    refined[kind, crf] = gated(
                        probs, gate, image.img_path, crf and self.crf_options[crf], present)
                mask = threshold_labels(refined[kind, crf], tau).numpy()
                yield fill_ignored(mask, of_boxes(method)) if method else mask

    def evaluate(self, size):
        """Bring together the counts of all processes."""
        quality = torch.as_tensor(self.quality)
        all_reduce(quality)
        self.quality = quality.numpy()
        self.worth = collect_results(self.results, size, 'cpu')
        self.results = []
        return {f'{self.prefix}/images': size}

    def compute_metrics(self, results):
        """Not used: `evaluate` adds up the counts."""
        return {}


def judge_rows(candidates, worth, quality, classes):
    """The scores of candidates from what `MaskJudge` counted.

    Args:
        candidates (Sequence[Candidate]): C candidates.
        worth (Sequence[ImageWorth]): of all images.
        quality (np.ndarray): (C, 3, K+1, K+1), of all images.
        classes (Sequence[str]): K names.

    Returns:
        list[dict]: fractions or nan. worth_se is the standard error of worth over the images;
        precision and recall are those of objects, boundary_miou is miou in the trimap; tau_classes,
        of a teacher: what `own_taus` finds for its classes, by name.
    """
    rows, parts = [], worth_parts(worth)
    for number, (candidate, counts) in enumerate(zip(candidates, quality)):
        images = np.stack([image.counts[number] for image in worth])
        scores, whole, near = worth_scores(images.sum(0)), mask_scores(counts[0]), mask_scores(
            counts[1])
        rows.append(dict(
            candidate._asdict(), worth=scores['worth'], worth_se=worth_error(images),
            **{key: scores[key] for key in (
                'worth_pixels', 'right_where_wrong', 'wrong_where_right')},
            miou=whole['miou'], miou_all=whole['miou_all'], precision=whole['fg_precision'],
            recall=whole['fg_recall'], coverage=whole['coverage'], boundary_miou=near['miou'],
            tau_classes=_own_taus(candidate, candidates, parts, classes),
            classes=dict(zip(classes, scores['classes'].tolist()))))
    return rows


def _own_taus(candidate, candidates, parts, classes):
    """`own_taus` by name, among the thresholds of the same masks; None where there are none."""
    if candidate.source != 'teacher':
        return None
    same = [number for number, other in enumerate(candidates)
            if other._replace(tau=None) == candidate._replace(tau=None)]
    taus = own_taus(parts[same], [candidates[number].tau for number in same], candidate.tau)
    return {classes[k]: tau for k, tau in taus.items()}


def best_of(rows):
    """Of each kind the row to choose.

    Of those whose worth is within a standard error of the largest, and whose masks keep 80 % of the
    pixels at least (`COVERAGE`), the one that is right most often where it sees an object
    (precision); the first of equals. A worth says nothing more of these: so without labels, where a
    network's own masks are worth 0 at each threshold, this alone decides. What is not sure is
    better left out, then: on MSRC a student of masks at tau 0.9 had 76.8 and at 0.7 73.2 (boxes,
    coverage 92 and 97 %). But masks of half the pixels lack the hard objects. If all of them keep
    less, the largest worth is chosen.

    Args:
        rows (list[dict]): of `judge_rows`.

    Returns:
        dict: kind -> row.
    """
    best = {}
    for kind in dict.fromkeys(row['kind'] for row in rows):
        own = [row for row in rows if row['kind'] == kind]
        top = max(own, key=lambda row: _or_least(row['worth']))
        least = _or_least(top['worth']) - max(0., _or_least(top['worth_se']))
        tied = [row for row in own
                if _or_least(row['worth']) >= least and row['coverage'] >= COVERAGE]
        best[kind] = max(tied, key=lambda row: _or_least(row['precision']), default=top)
    return best


def _or_least(value):
    return float('-inf') if np.isnan(value) else value
