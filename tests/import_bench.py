"""A folder of photographs and one file of labels, for tests of readers."""
from pathlib import Path

from PIL import Image

from mmseg_wss.labels.imports.importer import read_labels
from mmseg_wss.labels.imports.recognise import recognise

SIZE = 20, 30  # (H, W) of all photographs


def read(root, names, files):
    """Write photographs and text files below a folder, and read them as an export.

    Returns:
        tuple: `Labels`, and path below the folder -> `LabelledImage`.
    """
    root = Path(root)
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', SIZE[::-1]).save(root / name)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding='utf-8')
    labels = read_labels(recognise(str(root)))
    return labels, {str(Path(image.path).relative_to(root)): image for image in labels.images}


def kinds(image):
    """(kind, class name) of each shape."""
    return [(item.kind, item.name) for item in image.shapes]
