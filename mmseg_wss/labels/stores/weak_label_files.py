"""Files of tags and boxes that a program made, with a manifest that says how.

The classes have the methods of `MaskFolder` that tools/make_weak_labels.py calls.
"""
import json
from pathlib import Path

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.text_list import read_lines, write_lines
from mmseg_wss.labels.formats.voc_xml import voc_xml
from mmseg_wss.utils.fileio import atomic_path


class AnnotationFolder:
    """A folder of VOC annotation files, and its ``manifest.json``.

    Args:
        root (str | Path): the folder; it is made if need be.
        recipe (dict): all that the files depend on besides their images, as JSON can write it.

    Raises:
        DataError: the folder has files of another recipe, or of none.
        OSError: the folder cannot be written to.
    """

    def __init__(self, root, recipe):
        self.root = Path(root)
        claim(self.root / 'manifest.json', recipe, self.root, any(self.root.glob('*.xml')))

    def is_done(self, name):
        """Whether there is a file of the image `name`."""
        return self._path(name).is_file()

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
        with atomic_path(self._path(name)) as temporary:
            temporary.write_text(voc_xml(objects.file_name, objects.shape, objects.names,
                                         objects.boxes), encoding='utf-8')

    def close(self):
        """Nothing: every file is written at once."""

    def _path(self, name):
        if Path(name).is_absolute() or '..' in Path(name).parts:
            raise ValueError(f'{name}: a file of this name would lie outside {self.root}: correct '
                             'the list of images.')
        return self.root / f'{name}.xml'


class TagFile:
    """A tag file, as `VOCWeakSegDataset` reads it, and its manifest of the same name, ``.json``.

    Args:
        path (str | Path): the file.
        recipe (dict): see `AnnotationFolder`.

    Raises:
        DataError: the file is of another recipe, or of none.
        OSError: the manifest cannot be written.
    """

    def __init__(self, path, recipe):
        self.path = Path(path)
        claim(self.path.with_suffix('.json'), recipe, self.path, self.path.exists())
        rows = [line.split() for line in read_lines(self.path)] if self.path.exists() else []
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
        """Write the file, sorted by ID, if anything was added."""
        if self._changed:
            write_lines(self.path, (' '.join([name, *tags])
                                    for name, tags in sorted(self._tags.items())))
        self._changed = False


def claim(manifest, recipe, place, has_labels):
    """Write the manifest of labels, or see that it is there and says the same.

    Args:
        manifest (Path): where it is, or will be.
        recipe (dict): see `AnnotationFolder`.
        place (Path): the labels, for messages.
        has_labels (bool): whether there are any.

    Raises:
        DataError: the labels are of another recipe, or of none.
        OSError: the manifest cannot be written.
    """
    recipe = json.loads(json.dumps(recipe))  # as it is read back
    if manifest.exists():
        try:
            found = json.loads(manifest.read_text('utf-8'))
        except ValueError as error:
            raise DataError(f'{manifest}: not a readable JSON file ({error}). Remove it and the '
                            'labels beside it, or choose another place.') from error
        if found != recipe:
            raise DataError(f'{place}: its labels were made otherwise, as {manifest} says: {found} '
                            f'instead of {recipe}. Remove them, or choose another place.')
    elif has_labels:
        raise DataError(f'{place}: there are labels, but no {manifest} that says how they were '
                        'made. They are not overwritten: choose another place, or move them away.')
    else:
        write_lines(manifest, [json.dumps(recipe, indent=2)])
