"""Pictures of samples: image, mask, boxes and tags side by side."""
import textwrap

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmseg_wss.labels.checks.label_check import IGNORE
from mmseg_wss.utils.fileio import atomic_path

IGNORED = (224, 224, 224)  # colour of pixels in no loss and no metric


def colour_mask(mask, palette):
    """Colour an index mask: (H, W) labels, 255 ignored -> uint8 (H, W, 3) RGB.

    Args:
        mask (np.ndarray): (H, W), labels below ``len(palette)`` or 255.
        palette (Sequence): K colours, RGB in 0..255.
    """
    table = np.full((256, 3), IGNORED, np.uint8)
    table[:len(palette)] = palette
    return table[mask]


def overlay_mask(image, mask, palette, alpha=0.55):
    """Lay a coloured mask over an image; background stays clear, ignored pixels are hatched.

    Args:
        image (np.ndarray): uint8 (H, W, 3) RGB.
        mask (np.ndarray): (H, W), 255 ignored.
        palette (Sequence): K colours.
        alpha (float): opacity of the objects.

    Returns:
        np.ndarray: uint8 (H, W, 3).
    """
    mixed = cv2.addWeighted(colour_mask(mask, palette), alpha, image, 1 - alpha, 0)
    result = np.where((mask == 0)[..., None], image, mixed)
    rows, columns = np.indices(mask.shape)
    result[(mask == IGNORE) & ((rows + columns) % 6 < 2)] = IGNORED
    return result


def side_text(text, width=26, lines=14):
    """A text for the side of a row: broken into lines of up to `width` letters, `lines` at most."""
    broken = [part for line in text.split('\n') for part in textwrap.wrap(line, width) or ['']]
    return '\n'.join(broken if len(broken) <= lines else [*broken[:lines - 1], '...'])


def save_panels(path, rows, titles, classes=(), palette=(), labels=None):
    """Write a PNG of pictures in rows and columns, with a legend of the classes in it.

    Args:
        path (str): the PNG; it appears only when it is complete.
        rows (list[tuple]): (name, pictures): a text beside the row, uint8 (H, W, 3) RGB arrays.
        titles (Sequence[str]): a title for each column.
        classes, palette (Sequence): names and colours for the legend.
        labels (Iterable[int], optional): the classes to name in the legend; all when None.
    """
    shown = range(len(classes)) if labels is None else sorted(set(labels))
    handles = [Patch(color=np.array(palette[k]) / 255, label=classes[k])
               for k in shown if k < len(classes)]
    handles.append(Patch(color=np.array(IGNORED) / 255, label='ignored'))
    width = 3.2 * len(titles) + 1.5
    letters = max(len(handle.get_label()) for handle in handles)  # of 0.07 inch, beside a patch
    columns = max(1, min(8, 3 * len(titles), int(width / (0.6 + 0.07 * letters))))
    height = 2.5 * len(rows) + 0.4 + 0.18 * -(-len(handles) // columns)
    figure = Figure(figsize=(width, height), layout='constrained')
    axes = figure.subplots(len(rows), len(titles), squeeze=False)
    for line, (name, pictures) in zip(axes, rows):
        for axis, picture in zip(line, pictures):
            axis.imshow(picture, interpolation='nearest')
        line[0].set_ylabel(side_text(name), fontsize=8, rotation=0, ha='right', va='center')
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for axis, title in zip(axes[0], titles):
        axis.set_title(title, fontsize=9)
    figure.legend(handles=handles, loc='outside lower center', ncols=columns, fontsize=8)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
