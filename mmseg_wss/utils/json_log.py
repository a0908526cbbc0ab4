"""Files of one JSON object a line, which survive a kill and a full disk."""
import errno
import json
import os


class JsonLog:
    """Append to a file of JSON lines: each line is there as a whole, or not at all.

    Args:
        path (str | Path): the file; it is made if need be. A line that a kill cut off is removed.
    """

    def __init__(self, path):
        self._path = path
        self._file = open(path, 'ab+', buffering=0)
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b'\n') + 1
        if whole < len(content):  # a line that a kill cut off
            self._file.truncate(whole)

    def append(self, entry, sync=False):
        """Append a dict; with `sync`, it is on disk when this returns."""
        line = json_line(entry)
        end = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            if sync:
                os.fsync(self._file.fileno())
        except BaseException:  # KeyboardInterrupt too; it is raised again
            self._file.truncate(end)
            raise

    def close(self):
        self._file.close()


def json_line(entry):
    """A dict as a line of such a file: bytes, the same for equal dicts."""
    return json.dumps(entry, sort_keys=True).encode() + b'\n'
