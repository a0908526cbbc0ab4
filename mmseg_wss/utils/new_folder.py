"""A folder that is either whole or not there."""
import os
import os.path as osp
import re
import shutil
from pathlib import Path

from mmseg_wss.utils.file_lock import is_running


def temporary_of(path):
    """Where this process makes a folder before it is put in its place."""
    return f'{osp.normpath(path)}.tmp-{os.getpid()}'


def remove_leftovers(path):
    """Remove what killed processes left that were making a folder."""
    path = Path(path)
    for other in path.parent.glob('*.tmp-*'):
        number = re.fullmatch(re.escape(path.name) + r'\.tmp-(\d+)', other.name)
        if number and not is_running(int(number[1])):
            shutil.rmtree(other)


def put_in_place(temporary, path):
    """Give a folder that is whole its name; what had the name before goes after that."""
    old = f'{temporary}-old'
    if osp.lexists(path):
        os.rename(path, old)
    os.rename(temporary, path)
    if osp.isdir(old) and not osp.islink(old):
        shutil.rmtree(old)
    elif osp.lexists(old):
        os.remove(old)
