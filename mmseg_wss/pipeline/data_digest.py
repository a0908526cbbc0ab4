"""Digests of the lists and boxes that stages read, to notice that they have changed since."""
import os.path as osp

from mmengine.utils import import_modules_from_strings

from mmseg_wss.pipeline.stage import PipelineError, digest
from mmseg_wss.utils.fileio import file_sha256


def file_digest(path):
    """SHA-256 of a file, 16 hexadecimal digits; None where there is no such file."""
    return file_sha256(path)[:16] if osp.isfile(path) else None


def weak_image_digest(cfg, mask_dir):
    """The weak images of a config and their boxes.

    Args:
        cfg (mmengine.Config): a config whose lists of weak images exist.
        mask_dir (str): the folder of their masks; it need not exist.

    Returns:
        dict: number, of images; boxes, a digest of their names and `box_hash`. An image whose boxes
        cannot be read counts as one without: the tool that makes the masks reports it.

    Raises:
        PipelineError: see `weak_images`.
    """
    # not above: they load mmseg, which takes longer than to plan
    from mmseg_wss.engine.weak_sources import weak_images
    from mmseg_wss.errors import DataError
    from mmseg_wss.labels.boxes import box_hash
    from mmseg_wss.labels.objects import load_objects
    if cfg.get('custom_imports'):
        import_modules_from_strings(**cfg.custom_imports)
    try:
        dataset = weak_images(cfg, mask_dir, with_boxes=True, check_files=False)
    except ValueError as error:  # DataError too
        raise PipelineError(str(error)) from error
    hashes = {}
    for info in (dataset.get_data_info(i) for i in range(len(dataset))):
        try:
            names, boxes, _ = load_objects(info, dataset.metainfo['classes'])
        except DataError:
            hashes[info['mask_name']] = None
        else:
            hashes[info['mask_name']] = box_hash(names, boxes)
    return dict(number=len(hashes), boxes=digest(hashes)[:16])
