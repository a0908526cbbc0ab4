"""Masks of all classes of COCO from its instance annotations."""
import os.path as osp
from pathlib import Path

from mmseg_wss.errors import abridged
from mmseg_wss.labels.converters.semantic_mask import MakeSemanticMask, find_jobs
from mmseg_wss.labels.formats.class_names import write_class_names
from mmseg_wss.labels.formats.coco_outlines import read_outlines
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.utils.cli import report_outcome
from mmseg_wss.utils.fileio import file_sha256
from mmseg_wss.utils.jobs import run_jobs

VERSION = 1  # of the masks: raise it whenever the same file and options would give others


def make_coco_semantic(ann_file, out, images, crowd, workers):
    """Make the masks and ``classes.txt``; print what was made and how to train with it.

    Args:
        ann_file (str): COCO's instances_*.json.
        out (str): folder of the masks.
        images (str, optional): folder of the images, to check their presence and size.
        crowd (str): 'ignore' labels crowds 255, 'class' with their class.
        workers (int): processes.

    Returns:
        int: number of images that failed or are missing.

    Raises:
        DataError: the file is wrong, or `out` has masks of somebody else.
        OSError: another process writes to `out`, or a file cannot be written.
    """
    listed, classes = read_outlines(ann_file, ignore_crowds=crowd == 'ignore')
    recipe = dict(tool='coco_semantic', version=VERSION, crowd=crowd, classes=classes,
                  ann_file_sha256=file_sha256(ann_file))
    with MaskFolder(out, recipe) as folder:
        write_class_names(Path(out, 'classes.txt'), classes)
        todo = [image for image in listed if not folder.is_done(image.stem)]
        print(f'{len(listed)} images, {len(classes)} classes: {len(listed) - len(todo)} up to '
              f'date, {len(todo)} to make', flush=True)
        function = MakeSemanticMask(ann_file, out, folder.record())
        outcome = run_jobs(function, find_jobs(todo, images), len(todo), workers)

    missing = [] if images is None else sorted(
        image.file_name for image in listed if not osp.isfile(osp.join(images, image.file_name)))
    if missing:
        print(f'{images}: {len(missing)} image(s) of {ann_file} are missing (a mask is made '
              f'without its image, a training is not): {abridged(missing)}')
    failed = report_outcome(outcome, len(listed) - len(todo), out)
    if not failed:
        out = osp.abspath(out)
        print(f"Train with them: supervision='pixel', data_prefix=dict(seg_map_path={out!r}), "
              f'metainfo=dict(classes={osp.join(out, "classes.txt")!r}) in a '
              'mmseg_wss.COCOWeakSegDataset.')
    return failed + len(missing)
