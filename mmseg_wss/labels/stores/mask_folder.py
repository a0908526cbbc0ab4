"""Folders of masks that programs make, with a record of how each mask was made.

A folder holds the masks ``ID.png`` and manifests of JSON lines: ``manifest.jsonl``, and while
several processes share the work ``manifest.I-of-N.jsonl``, so that no two write to one file. A line
defines a recipe under its hash, or is a record::

    {"recipe": "5f0c...", "is": {"tool": "generate_proposals", "method": "grabcut", ...}}
    {"name": "2007_000032", "recipe": null, "revision": 1}
    {"name": "2007_000032", "recipe": "5f0c...", "inputs": "9a31...", "revision": 1}

Lines are only appended. The record without a recipe goes ahead of the mask, so at no moment does a
record speak of a mask that was made otherwise, and a mask without any record is somebody else's.
Of several records of a mask the one of the highest revision holds, in a file the later one: no
clock decides.
"""
import hashlib
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from mmseg_wss.errors import DataError
from mmseg_wss.labels.checks.label_check import abridged
from mmseg_wss.labels.palette import voc_palette
from mmseg_wss.labels.stores.mask_folder_lock import lock_folder
from mmseg_wss.utils.fileio import atomic_path, name_full_disk, remove_temporaries
from mmseg_wss.utils.json_log import JsonLog, json_line

_MANIFEST = 'manifest.jsonl'
_RESERVED = 'recipe', 'revision'  # keys of a record that are not the caller's


class MaskFolder:
    """Write index masks and the record of how each was made; know which are up to date.

    A folder belongs to the tools that keep its manifests: it must not hold masks of anybody else.
    Without shards, one process at a time may write to it, and what killed writers left is cleared
    away; with N shards, one process for each shard. Others are refused until `close`, see
    `lock_folder`.

    Args:
        root (str | Path): the folder; it is made if need be.
        recipe (dict): all that a mask depends on besides the inputs of its image, as JSON can
            write it: tool, method, options, classes, version.
        shard (tuple): (index, count): this process is the index-th of count.

    Raises:
        BlockingIOError: another process is writing to the folder.
        DataError: the folder has masks without a record, or a manifest is damaged.
        OSError: the folder cannot be written to.
        ValueError: an impossible shard.
    """

    def __init__(self, root, recipe, shard=(0, 1)):
        index, count = shard
        if not 0 <= index < count:
            raise ValueError(f'shard must be (index, count) with 0 <= index < count, got {shard}.')
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self._alone = count == 1
        self._recipe = recipe
        self._recipe_id = _recipe_id(recipe)
        self._recipe_is_written = False
        if not _manifests(self.root):  # not even a lock is left in a folder that is not ours
            self._read_records()
        manifest = self.root / (_MANIFEST if self._alone else f'manifest.{index}-of-{count}.jsonl')
        self._lock = lock_folder(self.root, manifest, shard)
        try:
            self._records = self._read_records()
            if self._alone and self._records:  # never in a folder that is not ours
                for folder, _, _ in os.walk(self.root):
                    remove_temporaries(folder)
            self._log = JsonLog(manifest)
        except BaseException:  # KeyboardInterrupt too; it is raised again
            self._lock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def is_done(self, name, inputs='', **record):
        """Whether the mask is there and was made by this recipe from these inputs.

        Args:
            name (str): ID of the image; with ``/`` for subfolders.
            inputs (str): identifies what the mask was made from, such as `box_hash`.
            **record: facts that the record of the mask must have, too, see `write`.
        """
        made = self._records.get(name, {})
        wanted = dict(record, recipe=self._recipe_id, inputs=inputs)
        return (all(made.get(key) == value for key, value in wanted.items())
                and self._path(name).is_file())

    def write(self, name, mask, inputs='', **record):
        """Write a mask as palette PNG (VOC colours), and its record.

        Args:
            name, inputs (str): see `is_done`.
            mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.
            **record: further facts for the manifest, as JSON can write them.

        Raises:
            OSError: the disk is full (`name_full_disk`), ...; no part of a mask stays, and a mask
                that was there before counts as not done.
            ValueError: another dtype or shape; a name outside the folder; a reserved key.
        """
        if mask.dtype != np.uint8 or mask.ndim != 2:
            raise ValueError(f'{name}: a mask is uint8 (H, W), got {mask.dtype} {mask.shape}.')
        if any(key in record for key in _RESERVED):
            raise ValueError(f'{name}: the keys {_RESERVED} of a record are reserved.')
        path = self._path(name)
        revision = self._records.get(name, {}).get('revision', 0) + 1
        with name_full_disk(path):
            # on disk before the mask is: not even a power cut may leave the mask to the old record
            self._add(dict(name=name, recipe=None, revision=revision), sync=True)
            picture = Image.fromarray(mask)
            picture.putpalette(voc_palette().tobytes())
            with atomic_path(path) as temporary:
                picture.save(temporary)
            self._add(dict(record, name=name, recipe=self._recipe_id, inputs=inputs,
                           revision=revision))

    def finish(self):
        """End writing; without shards, merge all manifests of the folder into one.

        Records whose mask is missing are left out. A kill leaves the old manifests, or the merged
        one beside some of them, which say the same.
        """
        self._log.close()
        with self._lock:
            if self._alone:
                self._merge()

    def close(self):
        """End writing as it is; the folder is free for others."""
        self._log.close()
        self._lock.close()

    def _merge(self):
        paths = _manifests(self.root)
        recipes, records = _read_manifests(self.root)
        records = [records[name] for name in sorted(_mask_names(self.root) & records.keys())]
        used = sorted({record['recipe'] for record in records} - {None})
        content = b''.join(
            [json_line(dict(recipe=key, **{'is': recipes[key]})) for key in used]
            + [json_line(record) for record in records])
        target = self.root / _MANIFEST
        if target.read_bytes() != content:
            with name_full_disk(target), atomic_path(target) as temporary:
                temporary.write_bytes(content)
        for path in paths:
            if path != target:
                path.unlink()

    def _read_records(self):
        # masks first: another process makes the record ahead of the mask
        masks = _mask_names(self.root)
        records = _read_manifests(self.root)[1]
        strange = sorted(masks - records.keys())
        if strange:
            raise DataError(
                f'{self.root}: {len(strange)} mask(s) have no record of how they were made: '
                f'{abridged(strange, 5)}. They are not overwritten: choose an empty folder, or '
                'move them away.')
        return records

    def _path(self, name):
        if Path(name).is_absolute() or '..' in Path(name).parts:
            raise ValueError(f'{name}: a mask of this name would lie outside {self.root}: correct '
                             'the list of images.')
        return self.root / f'{name}.png'

    def _add(self, record, sync=False):
        if not self._recipe_is_written:
            self._log.append({'recipe': self._recipe_id, 'is': self._recipe})
            self._recipe_is_written = True
        self._log.append(record, sync)
        self._records[record['name']] = record


def read_manifest(root):
    """Read how the masks of a folder were made, also while they are being made.

    Args:
        root (str | Path): a folder that `MaskFolder` wrote; it may be missing.

    Returns:
        dict: name -> dict of recipe (dict), inputs (str) and whatever else the tool recorded; empty
        where there is no manifest.

    Raises:
        DataError: a manifest is damaged.
    """
    recipes, records = _read_manifests(Path(root))
    return {name: {'recipe': recipes[record['recipe']],
                   **{key: value for key, value in record.items()
                      if key not in (*_RESERVED, 'name')}}
            for name, record in records.items() if record['recipe'] is not None}


def _recipe_id(recipe):
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


def _mask_names(root):
    return {path.relative_to(root).with_suffix('').as_posix() for path in root.rglob('*.png')
            if not path.name.startswith('.')}


def _manifests(root):
    return sorted([*root.glob(_MANIFEST), *root.glob('manifest.*-of-*.jsonl')])


def _read_manifests(root):
    """All manifests of a folder: recipes by hash, and the record that holds of each name."""
    recipes, records = {}, {}
    for path in _manifests(root):
        # what follows the last line break is being written, or was when its writer was killed
        for number, line in enumerate(path.read_bytes().split(b'\n')[:-1], 1):
            try:
                entry = json.loads(line)
                if 'is' in entry:
                    recipes[entry['recipe']] = entry['is']
                    continue
                if entry['recipe'] is not None:
                    recipes[entry['recipe']], entry['inputs']  # a file defines what it uses
                old = records.get(entry['name'])
                if old is None or entry['revision'] >= old['revision']:
                    records[entry['name']] = entry
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f'{path}: line {number} is no record of a mask ({error!r}). Remove the line '
                    'and the mask that it stood for, or choose another folder.') from error
    return recipes, records
