"""Many pictures on one sheet."""
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmseg_wss.utils.fileio import atomic_path


def save_contact_sheet(path, pictures, texts, columns=5):
    """Write a PNG of pictures in rows, each with a text above it.

    Args:
        path (str | Path): the PNG; it appears only when it is complete.
        pictures (Sequence[np.ndarray]): uint8 (H, W, 3) RGB, of any sizes; one at least.
        texts (Sequence[str]): a text for each.
        columns (int): pictures in a row.
    """
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(2.6 * columns, 2.3 * rows), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis('off')
    for axis, picture, text in zip(axes, pictures, texts):
        axis.imshow(picture)
        axis.set_title(text, fontsize=7)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
