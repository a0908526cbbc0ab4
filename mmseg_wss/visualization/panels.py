"""Pictures of samples: image, mask, boxes and tags side by side."""
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


def draw_boxes(image, boxes, labels, classes, palette):
    """Draw boxes with their class names.

    Args:
        image (np.ndarray): uint8 (H, W, 3) RGB; it is not changed.
        boxes (np.ndarray): (M, 4), (x1, y1, x2, y2) in pixels, half-open: the outline runs through
            the outermost pixels inside.
        labels (Sequence[int]): M class indices.
        classes, palette (Sequence): names and colours of the classes.

    Returns:
        np.ndarray: uint8 (H, W, 3).
    """
    image = image.copy()
    for (x1, y1, x2, y2), label in zip(np.asarray(boxes).round().astype(int), labels):
        colour = [int(c) for c in palette[label]]
        cv2.rectangle(image, (int(x1), int(y1)), (int(x2) - 1, int(y2) - 1), colour, 2)
        cv2.putText(image, classes[label], (int(x1) + 3, int(y1) + 13), cv2.FONT_HERSHEY_SIMPLEX,
                    min(0.42, image.shape[1] / 500), (255, 255, 255), 1, cv2.LINE_AA)
    return image


def save_panels(path, rows, titles, classes=(), palette=(), labels=None):
    """Write a PNG of pictures in rows and columns, with a legend of the classes in it.

    Args:
        path (str): the PNG; it appears only when it is complete.
        rows (list[tuple]): (name, pictures): a text beside the row, uint8 (H, W, 3) RGB arrays.
        titles (Sequence[str]): a title for each column.
        classes, palette (Sequence): names and colours for the legend.
        labels (Iterable[int], optional): the classes to name in the legend; all when None.
    """
    figure = Figure(figsize=(3.2 * len(titles), 2.5 * len(rows) + 0.6), layout='constrained')
    axes = figure.subplots(len(rows), len(titles), squeeze=False)
    for line, (name, pictures) in zip(axes, rows):
        for axis, picture in zip(line, pictures):
            axis.imshow(picture, interpolation='nearest')
        line[0].set_ylabel(name, fontsize=8)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for axis, title in zip(axes[0], titles):
        axis.set_title(title, fontsize=9)
    shown = range(len(classes)) if labels is None else sorted(set(labels))
    handles = [Patch(color=np.array(palette[k]) / 255, label=classes[k])
               for k in shown if k < len(classes)]
    handles.append(Patch(color=np.array(IGNORED) / 255, label='ignored'))
    figure.legend(handles=handles, loc='outside lower center', ncols=min(8, 3 * len(titles)),
                  fontsize=8)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
