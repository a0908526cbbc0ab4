"""Folders of masks that worker processes write, all made in the same way."""
from contextlib import contextmanager
from pathlib import Path

from mmseg_wss.labels.stores.mask_folder_lock import lock_folder
from mmseg_wss.labels.stores.weak_label_files import claim
from mmseg_wss.utils.fileio import remove_temporaries


@contextmanager
def claimed_folder(root, recipe):
    """Open a folder for masks, ``ID.png``, which others than this process may write too.

    `MaskFolder` writes each mask itself and records how, so that a folder may hold masks of several
    recipes; here the worker processes write, and ``manifest.json`` says it once for all masks.
    What killed writers left is cleared away.

    Args:
        root (str | Path): the folder; it is made if need be.
        recipe (dict): all that the masks depend on, as JSON can write it.

    Yields:
        set: names of the masks that are there.

    Raises:
        BlockingIOError: another process has the folder open.
        DataError: the folder has masks of another recipe, or of none.
        OSError: the folder cannot be written to.
    """
    root = Path(root)
    manifest = root / 'manifest.json'
    claim(manifest, recipe, root, bool(_mask_names(root)))
    with lock_folder(root, manifest, (0, 1)):
        remove_temporaries(root)
        yield _mask_names(root)


def _mask_names(root):
    return {path.stem for path in root.glob('*.png') if not path.name.startswith('.')}
