"""Folders of masks whose records older versions kept in manifests.

``manifest.jsonl`` and ``manifest.I-of-N.jsonl`` have a line for each recipe, with its hash, and
lines for the masks. The line of the highest revision counts, among equals the last one. A line
without a recipe says that its mask was being made::

    {"recipe": "5f0c...", "is": {"tool": "generate_proposals", "method": "grabcut", ...}}
    {"name": "2007_000032", "recipe": null, "revision": 1}
    {"name": "2007_000032", "recipe": "5f0c...", "inputs": "9a31...", "revision": 1}

``manifest.json`` is the recipe of all masks of its folder.
"""
import json
import os
import struct
import zlib
from pathlib import Path

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.mask_file import RECORD_KEY, read_record, record_text
from mmseg_wss.labels.stores.mask_folder import find_manifests, mask_files
from mmseg_wss.utils.file_lock import lock_file
from mmseg_wss.utils.fileio import atomic_path, remove_temporaries
from mmseg_wss.utils.progress import track

_HEADER = 33  # bytes of a PNG's signature and IHDR chunk


def convert_manifests(root, made_by=None):
    """Put the records of a folder into its masks, then remove the manifests.

    The pixels stay as they are, byte for byte. Stopped and started again, it goes on.

    Args:
        root (str | Path): the folder.
        made_by (str, optional): the method of recipes that name none.

    Returns:
        int: number of masks that got a record.

    Raises:
        BlockingIOError: another process is writing masks there.
        DataError: there is no manifest, it is damaged, or it does not know a mask.
        OSError: a file cannot be written.
    """
    root = Path(root)
    manifests = find_manifests(root) or [  # that of XML files stays
        path for path in root.glob('manifest.json') if mask_files(root)]
    if not manifests:
        raise DataError(f'{root}: there is no manifest of masks, so there is nothing to convert.')
    with lock_file(root / '.lock'):
        for folder, _, _ in os.walk(root):
            remove_temporaries(folder)
        masks = {name: Path(path) for name, path in mask_files(root).items()
                 if read_record(path) is None}
        if manifests[0].suffix == '.json':
            records = dict.fromkeys(masks, dict(recipe=_read_recipe(manifests[0]), inputs=''))
        else:
            records = _read_lines(manifests)
        unknown = [name for name in masks if name not in records]
        if unknown:
            raise DataError(f'{manifests[0]}: it has no record of {len(unknown)} mask(s): '
                            f'{abridged(unknown, 5)}. Move them away.')
        for name, path in track(masks.items(), 'Converting', total=len(masks)):
            recipe = dict(records[name]['recipe'])
            method = recipe.get('method', recipe.get('kind', made_by))
            _add_record(path, dict(
                records[name], recipe=recipe if method is None else dict(recipe, method=method)))
        for path in manifests:
            path.unlink()
    return len(masks)


def _read_recipe(path):
    try:
        recipe = dict(json.loads(path.read_text('utf-8')))
        recipe['tool']
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(f'{path}: it does not say how the masks were made ({error!r}). Make them '
                        'again in another folder.') from error
    return recipe


def _read_lines(paths):
    """The record that holds of each name, as `write_mask` takes it."""
    recipes, entries = {}, {}
    for path in paths:
        # without a line break at its end, the last line is a part: its writer was killed
        for number, line in enumerate(path.read_bytes().split(b'\n')[:-1], 1):
            try:
                entry = json.loads(line)
                if 'is' in entry:
                    recipes[entry['recipe']] = dict(entry['is'])
                    continue
                old = entries.get(entry['name'])
                if old is None or entry['revision'] >= old['revision']:
                    recipe = entry['recipe'] and recipes[entry['recipe']]
                    entries[entry['name']] = dict(entry, recipe=recipe or {})
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                raise DataError(
                    f'{path}: line {number} is no record of a mask ({error!r}). Remove the line '
                    'and the mask that it stood for.') from error
    return {name: {'inputs': '', **{key: value for key, value in entry.items()
                                    if key not in ('name', 'revision')}}
            for name, entry in entries.items()}


def _add_record(path, record):
    content = path.read_bytes()
    chunk = b'tEXt' + RECORD_KEY.encode() + b'\0' + record_text(record).encode()
    chunk = struct.pack('>I', len(chunk) - 4) + chunk + struct.pack('>I', zlib.crc32(chunk))
    with atomic_path(path) as temporary:
        temporary.write_bytes(content[:_HEADER] + chunk + content[_HEADER:])
