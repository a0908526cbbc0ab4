"""SegmentationClassAug and its lists: VOC 2012 with the masks of SBD."""
from mmseg_wss.labels.converters.sbd import MakeAugMask, find_jobs
from mmseg_wss.labels.converters.voc_lists import new_lists, read_splits
from mmseg_wss.labels.formats.class_names import VOC_CLASSES
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.utils.cli import report_outcome
from mmseg_wss.utils.jobs import run_jobs

VERSION = 1  # of the masks: raise it whenever the same files would give others
PUBLISHED = {'trainaug.txt': 10582, 'aug.txt': 9118}  # of the whole releases


def make_voc_aug(devkit, sbd, out, workers):
    """Make the masks, then the lists if no image failed; print what was made.

    Args:
        devkit (str): the folder VOC2012.
        sbd (str): the folder benchmark_RELEASE.
        out (str): folder of the masks.
        workers (int): processes.

    Returns:
        int: number of images that failed.

    Raises:
        DataError: a list is missing or wrong, or `out` has masks of somebody else.
        OSError: another process writes to `out`, or a file cannot be written.
    """
    splits = read_splits(devkit, sbd)
    lists, jobs = new_lists(devkit, splits), find_jobs(devkit, sbd, splits)
    recipe = dict(tool='voc_aug', version=VERSION, classes=list(VOC_CLASSES))
    with MaskFolder(out, recipe) as folder:
        todo = [job for job in jobs if not folder.is_done(job.name)]
        from_sbd = sum(job.mask_path.endswith('.mat') for job in jobs)
        print(f'{len(jobs)} images ({len(jobs) - from_sbd} masks of VOC, {from_sbd} of SBD): '
              f'{len(jobs) - len(todo)} up to date, {len(todo)} to make', flush=True)
        outcome = run_jobs(MakeAugMask(out, folder.record()), todo, len(todo), workers)

    failed = report_outcome(outcome, len(jobs) - len(todo), out)
    if failed:
        print('The lists are not written: they would name images without a mask.')
        return failed
    for path, ids in lists.items():
        if not path.exists():
            write_lines(path, sorted(ids))
        print(f'{path}: {len(ids)} images (of the whole releases: {PUBLISHED[path.name]})')
    return 0
