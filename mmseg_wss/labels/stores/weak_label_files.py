"""Files of tags and boxes that a program made, with a manifest that says how.

The classes have the methods of `MaskFolder` that tools/make_weak_labels.py calls.
"""
import json
import os
from contextlib import ExitStack
from pathlib import Path

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.tag_file import read_rows, tag_line
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.formats.voc_xml import voc_xml
from mmseg_wss.labels.stores.mask_folder import label_path
from mmseg_wss.utils.file_lock import lock_file
from mmseg_wss.utils.fileio import atomic_path, remove_temporaries


class AnnotationFolder:
    """A folder of VOC annotation files, and its ``manifest.json``.

    One process at a time writes to it; temporary files of killed writers are removed.

    Args:
        root (str | Path): the folder; it is made if need be.
        recipe (dict): all that the files depend on besides their images, as JSON can write it.

    Raises:
        BlockingIOError: another process is writing to the folder.
        DataError: the folder has files of another recipe, or of none.
        OSError: the folder cannot be written to.
    """

    def __init__(self, root, recipe):
        self.root = Path(root)
        self._lock = claim(self.root / 'manifest.json', recipe, self.root,
                           lambda: any(self.root.glob('*.xml')))
        for folder, _, _ in os.walk(self.root):
            remove_temporaries(folder)

    def is_done(self, name):
        """Whether there is a file of the image `name`."""
        return os.path.isfile(f'{self.root}/{name}.xml') and '..' not in Path(name).parts

    def write(self, name, objects):
        """Write the file of an image.

        Args:
            name (str): ID of the image.
            objects (Objects): see `mmseg_wss.simulation.weak_label_jobs`. In the file, boxes are
                VOC's: 1-based, with the last pixel inside.

        Raises:
            OSError: the disk is full, ...; no part of a file stays.
            ValueError: a name outside the folder.
        """
        with atomic_path(label_path(self.root, name, '.xml')) as temporary:
            temporary.write_text(voc_xml(objects.file_name, objects.shape, objects.names,
                                         objects.boxes), encoding='utf-8')

    def close(self):
        """End writing; the folder is free for others."""
        self._lock.close()


class TagFile:
    """A tag file, as `VOCWeakSegDataset` reads it, and its manifest of the same name, ``.json``.

    One process at a time writes it; temporary files of killed writers are removed.

    Args:
        path (str | Path): the file.
        recipe (dict): see `AnnotationFolder`.

    Raises:
        BlockingIOError: another process is writing the file.
        DataError: the file is of another recipe, or of none.
        OSError: the manifest cannot be written.
    """

    def __init__(self, path, recipe):
        self.path = Path(path)
        with ExitStack() as stack:
            stack.enter_context(claim(
                self.path.with_suffix('.json'), recipe, self.path, self.path.exists))
            remove_temporaries(self.path.parent, self.path.name)
            rows = read_rows(self.path) if self.path.exists() else []
            self._lock = stack.pop_all()
        self._tags = {row[0]: row[1:] for row in rows}
        self._changed = False

    def is_done(self, name):
        """Whether the file has a line of the image `name`."""
        return name in self._tags

    def write(self, name, tags):
        """Add the tags of an image, list of class names; `close` puts them on disk."""
        self._tags[name] = tags
        self._changed = True

    def close(self):
        """Write the file, sorted by ID, if anything was added; it is free for others."""
        with self._lock:
            if self._changed:
                write_lines(self.path, (tag_line(name, tags)
                                        for name, tags in sorted(self._tags.items())))
            self._changed = False


def claim(manifest, recipe, place, has_labels):
    """Lock labels, and write their manifest, or see that it is there and says the same.

    Args:
        manifest (Path): where it is, or will be.
        recipe (dict): see `AnnotationFolder`.
        place (Path): the labels, for messages.
        has_labels (Callable): whether there are any.

    Returns:
        file: the lock, to be closed when all labels are written.

    Raises:
        BlockingIOError: another process is writing these labels.
        DataError: the labels are of another recipe, or of none.
        OSError: the manifest cannot be written.
    """
    recipe = json.loads(json.dumps(recipe))  # as it is read back
    _check_manifest(manifest, recipe, place, has_labels())  # no lock beside labels of others
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(lock_file(manifest.with_name(f'.{manifest.name}.lock')))
        except BlockingIOError as error:
            raise BlockingIOError(f'{place}: another process is writing labels there. Wait for its '
                                  'end and start again, or choose another place.') from error
        remove_temporaries(manifest.parent, manifest.name)
        if not _check_manifest(manifest, recipe, place, has_labels()):
            write_lines(manifest, [json.dumps(recipe, indent=2)])
        stack.pop_all()
        return lock


def _check_manifest(manifest, recipe, place, has_labels):
    """Whether there is a manifest; DataError where the labels are of another recipe, or of none."""
    if manifest.exists():
        try:
            found = json.loads(manifest.read_text('utf-8'))
        except (ValueError, RecursionError) as error:
            raise DataError(f'{manifest}: not a readable JSON file ({error}). Remove it and the '
                            'labels beside it, or choose another place.') from error
        if found != recipe:
            raise DataError(f'{place}: its labels were made otherwise, as {manifest} says: '
                            f'{str(found)[:500]} instead of {recipe}. Remove them, or choose '
                            'another place.')
    elif has_labels:
        raise DataError(f'{place}: there are labels, but no {manifest} that says how they were '
                        'made. They are not overwritten: choose another place, or move them away.')
    return manifest.exists()
