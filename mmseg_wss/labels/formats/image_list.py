"""Which images a user means: a folder of them, one, or a list."""
import os
import os.path as osp
from typing import NamedTuple

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.image_name import IMAGE_SUFFIXES
from mmseg_wss.labels.formats.text_list import read_lines


class ImageList(NamedTuple):
    """What was found."""
    images: dict  # name, with '/' for sub folders and without suffix -> path; sorted by name
    passed_over: list  # other files of a folder


def find_images(source, image_dir=None, without=()):
    """The images that a path stands for.

    Args:
        source (str): a folder, which is looked through with its sub folders (hidden files are left
            out); an image; or a text file with a path a line, without suffix where only one file
            has that name.
        image_dir (str, optional): the folder that the names and paths of a list start from, else
            that of the list.
        without (Sequence[str]): folders that are not looked into.

    Returns:
        ImageList: the name of an image is its path below the folder.

    Raises:
        DataError: there is no such file, no image at all, or an image lies outside the folder; two
            images differ in their suffix alone.
    """
    if osp.isdir(source):
        paths, others = _walk(source, {osp.realpath(folder) for folder in without})
        root = source
    elif _is_image(source):
        paths, others, root = [source], [], osp.dirname(source)
    else:
        root = osp.dirname(source) if image_dir is None else image_dir
        paths, others = _listed(source, root), []
    images, faults = {}, []
    for path in sorted(paths):
        name = osp.splitext(osp.relpath(path, root or '.'))[0].replace(os.sep, '/')
        if name.startswith('../'):
            faults.append(f'{source}: {path} lies outside {root or "."}. Name a folder that has '
                          'all images: --image-dir DIR.')
        elif images.setdefault(name, path) != path:
            faults.append(f'{images[name]} and {path}: their predictions would have one name, '
                          f'{name}. Rename one of them, or name the images in two lists.')
    if faults:
        raise DataError('\n'.join(faults))
    if not images:
        raise DataError(f"{source}: there is no image in it. Images end in "
                        f"{', '.join(IMAGE_SUFFIXES)}.")
    return ImageList(dict(sorted(images.items())), others)


def _is_image(path):
    return osp.splitext(path)[1].lower() in IMAGE_SUFFIXES


def _walk(root, seen):
    """Images and other files below a folder; links are followed, but no folder is seen twice."""
    images, others = [], []
    for folder, folders, names in os.walk(root, followlinks=True):
        if osp.realpath(folder) in seen:
            folders.clear()
            continue
        seen.add(osp.realpath(folder))
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        paths = [osp.join(folder, name) for name in names if not name.startswith('.')]
        images += filter(_is_image, paths)
        others += (path for path in paths if not _is_image(path))
    return images, others


def _listed(path, root):
    """The files that the lines of a list stand for."""
    if not osp.isfile(path):
        raise DataError(f'{path}: there is no such folder, image or list.')
    beside, paths, missing = {}, [], []
    for line in dict.fromkeys(read_lines(path)):
        file = osp.normpath(osp.join(root, line))
        if not _is_image(file):
            folder, name = osp.split(file)
            if folder not in beside:
                beside[folder] = _by_stem(folder)
            found = beside[folder].get(name, [])
            if len(found) > 1:
                raise DataError(f'{path}: {line} may be {" or ".join(sorted(found))}. Write the '
                                'suffix, too.')
            file = found[0] if found else ''
        if osp.isfile(file):
            paths.append(file)
        else:
            missing.append(line)
    if missing:
        raise DataError(f'{path}: there is no image for {len(missing)} of its lines in '
                        f'{root or "."}: {abridged(missing)}. A line is a path, or an ID without '
                        'suffix; --image-dir DIR is the folder that they start from.')
    return paths


def _by_stem(folder):
    stems = {}
    for name in os.listdir(folder) if osp.isdir(folder) else ():
        if _is_image(name):
            stems.setdefault(osp.splitext(name)[0], []).append(osp.join(folder, name))
    return stems
