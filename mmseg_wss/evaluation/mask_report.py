"""How good the masks in folders are, and how they differ: tables, JSON and pictures."""
import json
import math
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unicodedata import normalize

import numpy as np

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.evaluation.mask_quality import agreement_scores, image_counts, mask_scores
from mmseg_wss.evaluation.mask_tables import CLASS_SCORES, SCORES, SHARES, draw_bars, report_tables
from mmseg_wss.labels.checks.label_check import label_values, mask_faults
from mmseg_wss.labels.formats.class_names import VOC_CLASSES, read_class_names
from mmseg_wss.labels.formats.id_list import read_id_list
from mmseg_wss.labels.formats.image_file import read_image as read_pixels
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES, find_image
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.palette import class_palette
from mmseg_wss.labels.stores.mask_folder import mask_files
from mmseg_wss.utils.file_names import FolderIndex
from mmseg_wss.utils.fileio import atomic_path
from mmseg_wss.utils.progress import track
from mmseg_wss.visualization import colour_mask, save_panels
from mmseg_wss.visualization.html_page import write_page

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


def draw_panels(path, ids, ranks, mask_dirs, truth, images, classes):
    """Write a PNG of the images of the lowest and of the highest ranks; nan is no rank."""
    with_truth = truth is not None
    folders = [truth, *mask_dirs] if with_truth else mask_dirs
    if images is None and with_truth:
        beside = osp.join(osp.dirname(osp.abspath(truth)), 'JPEGImages')
        images = beside if osp.isdir(beside) else None
    order = [i for i in np.argsort(ranks, kind='stable') if not math.isnan(ranks[i])]
    palette, rows, labels, index = class_palette(classes), [], set(), FolderIndex()
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
    """Measure folders of masks, compare them, print tables, write report.html, .json and pictures.

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
    summary = (f'{len(ids)} images (of '
               f'{", ".join(f"{n} in {folder}" for folder, n in sizes.items())}); '
               f'{len(classes)} classes: {origin}')
    print(summary)
    total, ranks = count_folders(folders, ids, len(classes), with_truth, trimap_width, workers)
    report = dict(make_report(total, mask_dirs, classes, len(ids)), truth=truth,
                  classes_from=origin, trimap_width=trimap_width)
    tables = report_tables(report, with_truth)
    print(*(table for _, table in tables), sep='\n')
    out = Path(out)
    with atomic_path(out / 'report.json') as temporary:
        temporary.write_text(json.dumps(report, indent=1, allow_nan=False))
    draw_bars(out / 'report.png', classes, report, with_truth)
    pictures = [('Scores of each class', out / 'report.png')]
    if draw_panels(out / 'panels.png', ids, ranks, mask_dirs, truth, images, classes):
        pictures.append(('The worst images, and then the best', out / 'panels.png'))
    write_page(out / 'report.html', 'Masks', [('Images', summary), *tables, *pictures])
    print(f'report.html, report.json, report.png{" and panels.png" * (len(pictures) > 1)} written '
          f'into {out}')
