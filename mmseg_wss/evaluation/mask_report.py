"""How good the masks in folders are, and how they differ: tables, JSON and pictures."""
import json
import math
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unicodedata import normalize

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from prettytable import PrettyTable

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.evaluation.mask_quality import agreement_scores, image_counts, mask_scores
from mmseg_wss.labels.checks.label_check import label_values, mask_faults
from mmseg_wss.labels.formats.class_names import VOC_CLASSES, read_class_names
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.image_file import read_image as read_pixels
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES, find_image
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.mask_folder import mask_files
from mmseg_wss.utils.file_names import FolderIndex
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.utils.progress import track
from mmseg_wss.visualization import colour_mask, save_panels

SCORES = 'miou', 'miou_all', 'fg_precision', 'fg_recall', 'coverage', 'fg_coverage'
CLASS_SCORES = 'precision', 'recall', 'coverage', 'iou', 'iou_all', 'boundary_iou'
SHARES = 'agree', 'differ', 'one_ignores', 'both_ignore'
TITLES = dict(
    miou='mIoU (kept)', miou_all='mIoU (ignored = missed)', fg_precision='fg precision',
    fg_recall='fg recall', coverage='coverage', fg_coverage='fg coverage',
    boundary_miou='boundary mIoU (kept)', precision='precision', recall='recall', iou='IoU (kept)',
    iou_all='IoU (ignored = missed)', boundary_iou='boundary IoU (kept)', agree='agree',
    differ='differ', one_ignores='exactly one ignores', both_ignore='both ignore')
SHOWN = 4  # worst and best images in the panels, of each


def find_class_names(folder, path=None):
    """The class names, and a text that says where they are from.

    Args:
        folder (str): of masks; classes.txt may lie in one of the two folders above it.
        path (str, optional): the file of names, if it is known.
    """
    above = list(Path(osp.abspath(folder)).parents)[:2]
    places = [Path(path)] if path else [place / 'classes.txt' for place in above]
    path = next(filter(Path.is_file, places), path)
    if path is None:
        return list(VOC_CLASSES), 'the 21 names of VOC'
    return read_class_names(path), str(path)


def image_ids(folders, ann_file=None):
    """The images to look at: their IDs, each with a mask in every folder.

    Returns:
        tuple: list of str, sorted or in the order of the list; and folder -> number of its masks.
    """
    found = {}
    for folder in folders:
        if not Path(folder).is_dir():
            raise DataError(f'{folder}: there is no such folder of masks. Correct its name.')
        found[folder] = {normalize('NFC', name) for name in mask_files(folder)}
    sizes = {folder: len(names) for folder, names in found.items()}
    if ann_file is None:
        ids = sorted(set.intersection(*found.values()))
        if not ids:
            raise DataError(f'{", ".join(found)}: no image has a mask (ID.png) in '
                            f'{"each of them" if len(found) > 1 else "it"}. Correct the folders.')
        return ids, sizes
    ids, faults = read_id_list(ann_file, 'Set --ann-file to')
    if faults:
        raise DataError('\n'.join(faults))
    for folder, names in found.items():
        missing = [f'{name}.png' for name in ids if name not in names]
        if missing:
            raise DataError(
                f'{folder}: {len(missing)} mask(s) of the {len(ids)} images in {ann_file} are '
                f'missing: {abridged(missing)}. Make them, or remove the images from the list.')
    return ids, sizes


def mask_paths(folders, name, index):
    """Where the folders have the mask of an image, by a `FolderIndex`."""
    return [index.path(osp.join(folder, f'{name}.png')) for folder in folders]


def read_masks(paths, num_classes, with_truth):
    """Read the masks of an image, uint8 (H, W) of one size; of the truth first if it is there."""
    masks = []
    for path in paths:
        mask = read_mask(str(path))
        is_truth = with_truth and not masks
        faults = mask_faults(mask, num_classes, mask.shape[:2], is_truth)
        if not faults and masks and mask.shape != masks[0].shape:
            (height, width), (other_height, other_width) = mask.shape, masks[0].shape
            faults = [f'is {width}x{height} (width x height), but {paths[0]} is '
                      f'{other_width}x{other_height}: make both at the size of the image']
        if faults:
            raise DataError(f'{path}: the mask {"; ".join(faults)}.')
        masks.append(mask.astype(np.uint8))
    return masks


def count_folders(folders, ids, num_classes, with_truth, width, workers):
    """Sum `image_counts` over the images; the truth is the first folder if it is there.

    Returns:
        tuple: the sum; and a score for each image, in 0..1 or nan, by which the panels choose.
    """
    index = FolderIndex()

    def count(name):
        masks = read_masks(mask_paths(folders, name, index), num_classes, with_truth)
        truth = masks.pop(0) if with_truth else None
        return image_counts(masks, truth, num_classes, width)

    total, ranks = 0, []
    # threads: most of the time goes into decoders, which release the interpreter's lock
    with ThreadPoolExecutor(workers) as pool:
        for counts in track(pool.map(count, ids), 'Reading', total=len(ids)):
            total = total + counts
            ranks.append(mask_scores(counts[0, 0])['miou_all'] if with_truth
                         else agreement_scores(counts[1, 2])['agree'])
    return total, ranks


def make_report(total, folders, classes, num_images):
    """The scores in the layout of report.json, from the sum of `image_counts`."""
    def rows(scores):
        return {name: {key: number(scores[key][k]) for key in CLASS_SCORES}
                for k, name in enumerate(classes)}

    report = dict(folders={}, agreement={})
    for position, (folder, (whole, near, paired)) in enumerate(zip(folders, total)):
        scores, boundary = mask_scores(whole), mask_scores(near)
        report['folders'][folder] = dict(
            {name: number(scores[name]) for name in SCORES},
            boundary_miou=number(boundary['miou']),
            classes=rows(dict(scores, coverage=scores['class_coverage'],
                              boundary_iou=boundary['iou'])),
            num_images=num_images)
        if position:
            shares = agreement_scores(paired)
            report['agreement'][folder] = dict(
                {name: number(shares[name]) for name in SHARES},
                classes={name: number(iou) for name, iou in zip(classes, shares['iou'])})
    return report


def number(value):
    """A float, or None for nan, which JSON does not have."""
    return None if math.isnan(value) else float(value)


def print_table(title, rows, columns):
    """Print rows, dict of dicts, in percent."""
    table = PrettyTable([title, *(TITLES.get(name, name) for name in columns)])
    table.align = 'r'
    table.align[title] = 'l'
    for name, values in rows.items():
        table.add_row([name, *('-' if values[key] is None else f'{100 * values[key]:.2f}'
                               for key in columns)])
    print(table)


def print_report(report, with_truth):
    if with_truth:
        print_table('masks', report['folders'], (*SCORES, 'boundary_miou'))
        for folder, scores in report['folders'].items():
            print_table(folder, scores['classes'], CLASS_SCORES)
    if report['agreement']:
        first, *others = report['folders']
        print_table(f'pixels, with {first}', report['agreement'], SHARES)
        classes = {name: {folder: report['agreement'][folder]['classes'][name] for folder in others}
                   for name in report['folders'][first]['classes']}
        print_table(f'IoU with {first} (both keep)', classes, others)


def draw_bars(path, classes, report, with_truth):
    """Write a PNG: for each score a bar for each class and folder."""
    charts = {TITLES[key]: {
        folder: [row[key] for row in scores['classes'].values()]
        for folder, scores in report['folders'].items()}
        for key in ('iou', 'precision', 'recall', 'coverage', 'boundary_iou') if with_truth}
    if report['agreement']:
        charts[f'IoU with {next(iter(report["folders"]))}'] = {
            folder: list(scores['classes'].values())
            for folder, scores in report['agreement'].items()}
    figure = Figure(figsize=(3 + 0.4 * len(classes), 2 * len(charts) + 1.2), layout='constrained')
    axes = figure.subplots(len(charts), 1, sharex=True, squeeze=False)[:, 0]
    colours = {folder: f'C{i}' for i, folder in enumerate(report['folders'])}
    for axis, (title, bars) in zip(axes, charts.items()):
        width = 0.8 / len(bars)
        for i, (folder, values) in enumerate(bars.items()):
            axis.bar(np.arange(len(classes)) + (i + 0.5) * width - 0.4,
                     [math.nan if value is None else 100 * value for value in values],
                     width, color=colours[folder], label=folder)
        axis.set(ylabel='%', ylim=(0, 100), title=title)
        axis.grid(axis='y', alpha=0.3)
    axes[-1].set_xticks(range(len(classes)), classes, rotation=45, ha='right')
    figure.legend(*axes[0].get_legend_handles_labels(), loc='outside lower center', fontsize=8)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))


def draw_panels(path, ids, ranks, mask_dirs, truth, images, classes):
    """Write a PNG of the images of the lowest and of the highest ranks; nan is no rank."""
    with_truth = truth is not None
    folders = [truth, *mask_dirs] if with_truth else mask_dirs
    if images is None and with_truth:
        beside = osp.join(osp.dirname(osp.abspath(truth)), 'JPEGImages')
        images = beside if osp.isdir(beside) else None
    order = [i for i in np.argsort(ranks, kind='stable') if not math.isnan(ranks[i])]
    palette, rows, labels, index = voc_palette(len(classes)), [], set(), FolderIndex()
    for i in dict.fromkeys(order[:SHOWN] + order[-SHOWN:]):
        masks = read_masks(mask_paths(folders, ids[i], index), len(classes), with_truth)
        if with_truth:
            masks.append(masks.pop(0))
        labels.update(*map(label_values, masks))
        pictures = [] if images is None else [read_image(images, ids[i], index)]
        rows.append((f'{ids[i]}\n{"mIoU" if with_truth else "agree"} {100 * ranks[i]:.1f} %',
                     pictures + [colour_mask(mask, palette) for mask in masks]))
    titles = ([] if images is None else ['image']) + [folder[-32:] for folder in mask_dirs]
    if rows:
        save_panels(path, rows, titles + ['truth'] * with_truth, classes, palette, labels)
    return bool(rows)


def read_image(folder, name, index):
    """The image of an ID, uint8 (H, W, 3) RGB."""
    path, faults = find_image(osp.join(folder, name), None, index)
    if not faults and not osp.isfile(path):
        faults = [f'{path}: there is no such image, nor one that ends in '
                  f'{" or ".join(IMAGE_SUFFIXES[1:])}. Set --images to their folder.']
    if faults:
        raise DataError('\n'.join(faults))
    return read_pixels(path)[..., ::-1]


def report_masks(mask_dirs, truth=None, ann_file=None, classes=None, images=None,
                 out='./mask_report', trimap_width=3, workers=1):
    """Measure folders of masks, compare them, print tables and write report.json and pictures.

    Args:
        mask_dirs (Sequence[str]): folders of ``ID.png``, class indices, 255 ignored.
        truth (str, optional): the folder of the true masks, 255 void.
        ann_file (str, optional): a list of image IDs; without it, all that every folder has.
        classes (str, optional): a file of class names, see `find_class_names`.
        images (str, optional): the folder of the images, for the panels.
        out (str): the folder to write into.
        trimap_width (int): pixels on either side of a boundary; 0 for no boundary scores.
        workers (int): threads that decode files.

    Raises:
        DataError: a folder, list or mask is missing or wrong.
    """
    with_truth = truth is not None
    folders = [truth, *mask_dirs] if with_truth else mask_dirs
    classes, origin = find_class_names(folders[0], classes)
    ids, sizes = image_ids(folders, ann_file)
    print(f'{len(ids)} images (of {", ".join(f"{n} in {folder}" for folder, n in sizes.items())}); '
          f'{len(classes)} classes: {origin}')
    total, ranks = count_folders(folders, ids, len(classes), with_truth, trimap_width, workers)
    report = dict(make_report(total, mask_dirs, classes, len(ids)), truth=truth,
                  classes_from=origin, trimap_width=trimap_width)
    print_report(report, with_truth)
    out = Path(out)
    with atomic_path(out / 'report.json') as temporary:
        temporary.write_text(json.dumps(report, indent=1, allow_nan=False))
    draw_bars(out / 'report.png', classes, report, with_truth)
    drawn = draw_panels(out / 'panels.png', ids, ranks, mask_dirs, truth, images, classes)
    print(f'report.json, report.png{" and panels.png" * drawn} written into {out}')
