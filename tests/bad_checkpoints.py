"""Checkpoints that are damaged, foreign, or run code when a pickle is believed."""
import os
import pickle
import zipfile

import torch


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), )


def malicious(path, mark):
    """A checkpoint as a training writes it, which makes the folder `mark` when it is executed."""
    torch.save(dict(meta=dict(iter=1, epoch=1), state_dict={}, message_hub=Touch(mark)), path)
    return path


def legacy_malicious(path, mark):
    """The same in the format before PyTorch 1.6, a bare pickle."""
    torch.save(dict(state_dict=Touch(mark)), path, _use_new_zipfile_serialization=False)
    return path


def bare_pickle(path, mark):
    path.write_bytes(pickle.dumps(Touch(mark), protocol=2))
    return path


def script(path):
    """By one of its parts it is TorchScript, a program."""
    torch.save(dict(state_dict={}), path)
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr(f'{path.stem}/constants.pkl', pickle.dumps((), protocol=2))
    return path


def empty(path):
    path.write_bytes(b'')


def text(path):
    path.write_text('<html>404 Not Found</html>')


def pointer(path):
    path.write_text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 100\n')


def truncated(path):
    torch.save(dict(state_dict=dict(a=torch.rand(1000))), path)
    path.write_bytes(path.read_bytes()[:2000])


def other_archive(path):
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('readme.txt', 'not a checkpoint')


def part_of_archive(path):
    """By its end the archive has parts on other disks."""
    torch.save(dict(state_dict=dict(a=torch.rand(10))), path)
    content = bytearray(path.read_bytes())
    content[content.rindex(b'PK\6\7') + 4] = 1
    path.write_bytes(content)


def picture(path):
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + bytes(100))


def broken_pickle(path):
    path.write_bytes(b'\x80\x02}q\x00(X')
