"""One page about a finished pipeline."""
import os.path as osp
from pathlib import Path

import cv2
import numpy as np

from mmseg_wss.evaluation.run_results import run_result
from mmseg_wss.evaluation.run_tables import class_table
from mmseg_wss.labels.formats.image_file import read_image
from mmseg_wss.labels.formats.image_list import find_images
from mmseg_wss.visualization.contact_sheet import save_contact_sheet
from mmseg_wss.visualization.html_page import write_page
from mmseg_wss.visualization.markdown import markdown_sections

_SHOWN = 8  # predicted images
_SIDE = 640  # pixels


def write_report_page(folder, stages, tables, plan=None):
    """Write report.html: the plan, tables, curves, classes, and pictures of masks.

    Args:
        folder (str): of pipeline.png; gets the page, and predicted.png where images are predicted.
        stages (list[Stage]): of a finished pipeline.
        tables (list[PrettyTable]): of masks and networks, see `mmseg_wss.pipeline.report.tables`.
        plan (str, optional): Markdown.
    """
    sections = [('Result', [*tables, Path(folder, 'pipeline.png')])]
    trainings = [stage for stage in stages if stage.tool == 'train.py']
    results = {stage.name: run_result(stage.folder, 'mIoU') for stage in trainings}
    classes = class_table({name: [result] for name, result in results.items() if result})
    if classes is not None:
        sections.append(('IoU of the classes, last validation', classes))
    panels = [Path(stage.folder, 'val_panel.png') for stage in trainings]
    if panels and panels[-1].is_file():
        sections.append((f'Images of the validation: {trainings[-1].name}', [
            'Photograph, truth and prediction; the last rows are the worst images.', panels[-1]]))
    for stage in stages:
        picture = Path(folder, f'{stage.name}.png')
        if stage.tool == 'predict.py' and draw_predictions(picture, stage):
            sections.append((f'Masks: {stage.name}', [
                f'All of them are in {osp.join(stage.folder, "masks")}, as PNGs of class indices.',
                picture]))
    sections += markdown_sections(plan or '')
    write_page(Path(folder, 'report.html'), osp.basename(osp.abspath(folder)), sections)


def draw_predictions(path, stage):
    """Draw some photographs with their masks, spread over all that were predicted.

    Args:
        path (Path): the PNG.
        stage (Stage): of tools/predict.py, with its images as first argument.

    Returns:
        bool: False where the stage has no overlays.
    """
    args, options = (stage.depends.get(key) for key in ('args', 'options'))
    if not args:
        return False
    found = find_images(args[0], options.get('image_dir'), without=[stage.folder]).images
    pairs = [(name, image, overlay) for name, image in found.items()
             if (overlay := Path(stage.folder, 'overlays', f'{name}.jpg')).is_file()]
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(_SHOWN, len(pairs))).astype(int))
    pictures, texts = [], []
    for name, image, overlay in (pairs[place] for place in chosen):
        pictures += [_small_picture(image), _small_picture(str(overlay))]
        texts += [osp.basename(name), 'mask']
    if pictures:
        save_contact_sheet(path, pictures, texts, columns=4)
    return bool(pictures)


def _small_picture(path):
    image = read_image(path)[..., ::-1]  # RGB
    factor = _SIDE / max(image.shape[:2])
    if factor >= 1:
        return image
    size = [max(1, round(side * factor)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
