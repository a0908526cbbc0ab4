"""The image files that an export may mean."""
import os
import os.path as osp
import re
from unicodedata import normalize

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES

_ENDS = 3  # parts of a path, from its end, by which images are looked up
_NEUTRAL = {'images', 'JPEGImages'}  # folders that say nothing of an image
_ABSOLUTE = re.compile(r'[/\\~]|[A-Za-z]:|\w+://')
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


def is_absolute(name):
    """Whether a path of any system, or an address, begins at a root."""
    return bool(_ABSOLUTE.match(name))


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
        self._folder_names = set()
        self._origins = set()  # folders of names, before those that are here
        self.guesses = {}  # path -> (name, source), those that have no folder in common with it
        for path in self.paths:
            named = self._named(path)
            self._by_path.setdefault(named, []).append(path)
            self._folder_names.update(self._folders(path))
            *folders, name = named.split(os.sep)
            for number in range(_ENDS):
                above = tuple(folders[len(folders) - number:]) if number <= len(folders) else None
                for end in {name, _stored_name(name)} if above is not None else ():
                    self._by_end.setdefault((*above, end), []).append(path)

    def _named(self, path):
        """The absolute path as names give it."""
        path = normalize('NFC', osp.abspath(path))
        return osp.splitext(path)[0] if self._by_stem else path

    def _folders(self, path):
        """The folders of an image below the root."""
        return normalize('NFC', osp.relpath(path, self.root)).split(os.sep)[:-1]

    def split_of(self, path):
        """The split that the folders of an image say, below the one they are all in, or ''.

        Names of images do not count: one may be ``train_7.jpg`` because it shows a train.
        """
        return split_of(osp.dirname(osp.relpath(path, self.root)))

    def find(self, name, folder, source):
        """The file that is meant by a name.

        That is the file of this path from `folder`, else the one whose path has the most folders in
        common with the name, counted from its end: paths of other machines are common. Its other
        folders below the root must not differ from those of the name: ``a/1.jpg`` is not
        ``b/1.jpg``, but may be ``1.jpg`` or ``x/a/1.jpg``. An absolute name alone may mean the only
        file of its last part, wherever that is.

        Args:
            name (str): a path of any system.
            folder (str): where it may begin.
            source (str): the file that has the name, for messages.

        Returns:
            str: its path.

        Raises:
            DataError: there is none, or more than one.
        """
        parts = _parts(name)
        start = normalize('NFC', osp.abspath(osp.join(folder, *parts)))
        near = best = self._by_path.get(start, []) if parts else []
        if not best:
            near, best = self._by_ends(name, source)
        elif len(parts) > 1:
            self._origins.add((False, ))
        if len(best) == 1:
            return osp.abspath(best[0])
        if best:
            what = f'{len(best)} images may be meant by {name!r}, such as {best[0]} and {best[1]}'
        else:
            what = f'no image of this name is below {self.root}: {name[:200]!r}'
            what += f' ({near[0]} is in another folder)' if near else ''
        raise DataError(f'{source}: {what}. Give the folder of its images by --images, or remove '
                        'the image from the file.')

    def has_place(self, name):
        """Whether others that were found with their folders say where the file of a name is."""
        parts = is_absolute(name), *_parts(name)
        return any(parts[:len(origin)] == origin for origin in self._origins)

    def _by_ends(self, name, source):
        """The files that have the longest end in common with a name, and those it may mean."""
        wanted = [part for part in _parts(name) if part != '..']
        ends = (tuple(wanted[-number:]) for number in range(_ENDS, 0, -1))
        near = next((self._by_end[end] for end in ends if end in self._by_end), [])
        if not near:
            return [], []
        shared = {path: 1 + _shared_end(wanted[:-1], self._named(path).split(os.sep)[:-1])
                  for path in near}
        most = max(shared.values())
        near = [path for path in near if shared[path] == most]
        left = wanted[:-most]
        if left and left[-1] in self._folder_names - _NEUTRAL:  # it would be there
            return near, []
        is_moved = is_absolute(name) and not name.startswith(osp.join(osp.abspath(self.root), ''))
        if not (is_moved and len(near) == 1) and all(
                _differ(left, self._folders(path)[:1 - most or None]) for path in near):
            return near, []
        if len(near) == 1 < len(wanted):
            if most == 1:
                self.guesses.setdefault(osp.abspath(near[0]), []).append((name, source))
            else:
                self._origins.add((is_absolute(name), *left))
        return near, near


def _differ(one, other):
    """Whether folders contradict: each of the two has one that says something."""
    return bool(set(one) - _NEUTRAL and set(other) - _NEUTRAL)


def _parts(name):
    """The parts of a path of any system."""
    path = normalize('NFC', osp.normpath(name.replace('\\', '/'))) if name else ''
    return [part for part in path.split('/') if part not in ('', '.')]


def _shared_end(one, other):
    """Number of parts that two lists have in common at their ends."""
    number = 0
    while number < min(len(one), len(other)) and one[-1 - number] == other[-1 - number]:
        number += 1
    return number


def _stored_name(name):
    """A file name as Django, and so Label Studio, stores it."""
    return re.sub(r'[^-\w.]', '', name.strip().replace(' ', '_'))
