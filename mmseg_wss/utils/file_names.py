"""Files as people have them: found by a name, whatever their suffix and however it is written."""
import os
import os.path as osp
from functools import lru_cache
from unicodedata import normalize

from mmseg_wss.utils.fileio import file_exists, is_local


class FolderIndex:
    """The names of files in folders, each of which is listed once.

    A letter with an accent has two spellings in Unicode; those of a list (mostly NFC) and of the
    disk (NFD in archives of macOS) may differ. Here they are the same name.

    Args:
        backend_args (dict, optional): see ``mmengine.fileio``.
    """

    def __init__(self, backend_args=None):
        self._backend_args = backend_args
        self._listed = {}

    def path(self, path):
        """The path of a file as the disk spells it; as it was given, where there is none.

        Args:
            path (str): a path; that of ASCII letters alone is returned without looking.
        """
        if path.isascii():
            return path
        folder, name = osp.split(path)
        found = self._names(folder, files=True).get(normalize('NFC', name))
        if not found:
            return path
        return osp.join(self._folder(folder), name if name in found else found[0])

    def with_suffix(self, path, suffixes):
        """The files that `path` names without a suffix.

        Args:
            path (str): without suffix.
            suffixes (Sequence[str]): those that count, in small letters; a file may have capitals.

        Returns:
            list[str]: paths, sorted.
        """
        folder, name = osp.split(path)
        stems = self._listed.get((folder, suffixes))
        if stems is None:
            stems = self._listed[folder, suffixes] = {}
            for full, spellings in self._names(folder, files=True).items():
                stem, suffix = osp.splitext(full)
                if suffix.lower() in suffixes:
                    stems.setdefault(stem, []).extend(spellings)
        return [osp.join(self._folder(folder), file)
                for file in sorted(stems.get(normalize('NFC', name), []))]

    def _folder(self, path):
        """The path of a folder as the disk spells it."""
        parent, name = osp.split(path)
        if path.isascii() or not name or is_folder(path, self._backend_args):
            return path
        parent = self._folder(parent)
        found = self._names(parent, files=False).get(normalize('NFC', name), [name])
        return osp.join(parent, name if name in found else found[0])

    def _names(self, folder, files):
        """NFC name -> the names in a folder, of its files or its folders."""
        key = folder, files
        if key not in self._listed:
            names = self._listed[key] = {}
            for name in list_folder(self._folder(folder), files, self._backend_args):
                names.setdefault(normalize('NFC', name), []).append(name)
        return self._listed[key]


def list_folder(folder, files=True, backend_args=None):
    """The names in a folder, local or of a backend of mmengine; none where there is no folder.

    Args:
        folder (str): its path.
        files (bool): names of files; else those of folders.
        backend_args (dict, optional): see ``mmengine.fileio``.

    Returns:
        list[str]
    """
    if not is_folder(folder, backend_args):
        return []
    if is_local(folder, backend_args):
        with os.scandir(folder or '.') as entries:
            return [entry.name for entry in entries if entry.is_dir() != files]
    from mmengine import fileio  # here: it takes longer to load than many tools run
    return list(fileio.list_dir_or_file(
        folder, list_dir=not files, list_file=files, backend_args=backend_args))


def is_folder(path, backend_args=None):
    """Whether there is such a folder, see `list_folder`."""
    return osp.isdir(path or '.') if is_local(path, backend_args) else file_exists(
        path, backend_args)


def near_name(path):
    """Words for the file that may have been meant by the path of a local one that is missing.

    Returns:
        str: `` (there is NAME: ...)``; '' where no name in the folder is like it.
    """
    folder, name = osp.split(str(path))
    given = normalize('NFC', name)
    try:
        names, stems = _local_names(folder, os.stat(folder or '.').st_mtime_ns)
    except OSError:
        return ''
    name = _folded(given)
    stem = osp.splitext(name)[0]
    for near, what in ((names.get(name), 'capitals count'), (stems.get(stem), 'another suffix'),
                       (names.get(stem), 'IDs have no suffix')):
        if near:
            is_spelled_so = given.startswith(normalize('NFC', osp.splitext(near)[0]))
            return f' (there is {near}: {what if is_spelled_so else "capitals count"})'
    return ''


@lru_cache(maxsize=4)  # many files of a folder may be missing
def _local_names(folder, changed):
    """The files of a folder by their names and by their stems, written alike; dicts."""
    files = sorted(list_folder(folder))
    names = {_folded(name): name for name in files}
    return names, {osp.splitext(folded)[0]: name for folded, name in names.items()}


def _folded(name):
    return normalize('NFC', name).casefold()
