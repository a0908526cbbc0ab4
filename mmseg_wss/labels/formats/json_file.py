"""JSON files."""
import json

from mmseg_wss.errors import DataError
from mmseg_wss.utils.fileio import read_bytes


def read_json(path, keep=None, backend_args=None):
    """The content of a JSON file.

    Args:
        path (str): the file, in UTF-8, with or without a byte-order mark.
        keep (Callable, optional): called with each object, a dict; what it returns is kept
            in its place.
        backend_args (dict, optional): see ``mmengine.fileio``.

    Raises:
        DataError: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(
            read_bytes(path, backend_args).decode('utf-8-sig'), object_hook=keep)
    except OSError as error:
        raise DataError(f'{path}: the file cannot be read ({error.strerror or error}). Copy it '
                        'again.') from error
    except (ValueError, RecursionError) as error:  # ValueError: a wrong encoding, too
        raise DataError(f'{path}: not a readable JSON file ({error}). Copy or write it again.'
                        ) from error


def entries(value):
    """The dicts of a list; of anything else none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
