"""The image files that an export may mean."""
import os
import os.path as osp
import re

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES

_ENDS = 3  # parts of a path, from its end, by which images are looked up
_SPLITS = dict(val=('val', 'valid', 'validation'), test=('test', ), train=('train', ))


def split_of(path):
    """The split that the last part of a path says, or the one before it, or ''."""
    for name in (osp.basename(path), osp.basename(osp.dirname(path))):
        words = ''.join(c if c.isalpha() else ' ' for c in name.lower()).split()
        for split, names in _SPLITS.items():
            if set(words) & set(names):
                return split
    return ''


def files_below(root, suffixes):
    """Sorted paths of the files below a folder with one of some suffixes.

    Hidden ones are left out, and what is in folders that this importer has made.
    """
    found = []
    for folder, folders, names in os.walk(root):
        if 'config.py' in names and 'ImageSets' in folders and folder != root:
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        found += [osp.join(folder, name) for name in names
                  if name.lower().endswith(suffixes) and not name.startswith('.')]
    return sorted(found)


class ImageFiles:
    """The images below a folder, found by the names that tools write.

    Args:
        root (str): the folder.
        skipped (Sequence[str]): names of folders below it that hold no images but masks.
        by_stem (bool): the names have no suffixes.
    """

    def __init__(self, root, skipped=(), by_stem=False):
        self.root = root
        self._by_stem = by_stem
        self.paths = [path for path in files_below(root, IMAGE_SUFFIXES)
                      if not set(skipped) & set(osp.relpath(path, root).split(os.sep)[:-1])]
        self._by_path = {}  # absolute path -> paths: by their stems, there may be several
        self._by_end = {}  # the last parts of a path -> paths
        for path in self.paths:
            self._by_path.setdefault(osp.abspath(self._named(path)), []).append(path)
            *folders, name = self._named(path).split(os.sep)
            for number in range(_ENDS):
                above = tuple(folders[len(folders) - number:]) if number <= len(folders) else None
                for end in {name, _stored_name(name)} if above is not None else ():
                    self._by_end.setdefault((*above, end), []).append(path)

    def _named(self, path):
        """The path as names give it."""
        return osp.splitext(path)[0] if self._by_stem else path

    def split_of(self, path):
        """The split that the folders of an image say, below the one they are all in, or ''.

        Names of images do not count: one may be ``train_7.jpg`` because it shows a train.
        """
        return split_of(osp.dirname(osp.relpath(path, self.root)))

    def find(self, name, folder, source):
        """The file that is meant by a name.

        That is the file of this path from `folder`, else the one whose path has the most folders in
        common with the name, counted from its end: paths of other machines are common.

        Args:
            name (str): a path of any system.
            folder (str): where it may begin.
            source (str): the file that has the name, for messages.

        Returns:
            str: its path.

        Raises:
            DataError: there is none, or more than one.
        """
        parts = [part for part in name.replace('\\', '/').split('/') if part not in ('', '.')]
        best = self._by_path.get(osp.abspath(osp.join(folder, *parts)), []) if parts else []
        if not best:
            wanted = [part for part in parts if part != '..']
            ends = (tuple(wanted[-number:]) for number in range(_ENDS, 0, -1))
            found = next((self._by_end[end] for end in ends if end in self._by_end), [])
            shared = {path: _shared_end(wanted, self._named(path).split(os.sep)) for path in found}
            best = [path for path in found if shared[path] == max(shared.values())]
        if len(best) == 1:
            return osp.abspath(best[0])
        what = (f'{len(best)} images may be meant by {name!r}, such as {best[0]} and {best[1]}'
                if best else f'no image of this name is below {self.root}: {name[:200]!r}')
        raise DataError(f'{source}: {what}. Give the folder of its images by --images, or remove '
                        'the image from the file.')


def _shared_end(one, other):
    """Number of parts that two lists have in common at their ends."""
    number = 0
    while number < min(len(one), len(other)) and one[-1 - number] == other[-1 - number]:
        number += 1
    return number


def _stored_name(name):
    """A file name as Django, and so Label Studio, stores it."""
    return re.sub(r'[^-\w.]', '', name.strip().replace(' ', '_'))
