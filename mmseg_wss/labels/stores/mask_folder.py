"""Folders of masks that programs make: ``ID.png``, each with the record of how it was made.

A mask and its record are one file (`write_mask`). A mask without a record is somebody else's and is
never overwritten.
"""
import json
import os
from contextlib import ExitStack
from pathlib import Path

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.formats.mask_file import read_record, write_mask
from mmseg_wss.utils.file_lock import lock_file
from mmseg_wss.utils.fileio import remove_temporaries

CONVERTER = 'tools/dataset_converters/mask_records.py'


class MaskFolder:
    """Write index masks that say how they were made; know which are up to date.

    Without shards, one process at a time writes to the folder, and temporary files of killed
    writers are removed. With N shards, one process for each shard writes to it.

    Args:
        root (str | Path): the folder; it is made if need be.
        recipe (dict): all that a mask depends on besides the inputs of its image, as JSON can
            write it: tool, method, options, classes, version.
        shard (tuple): (index, count): this process is the index-th of count.

    Raises:
        BlockingIOError: another process is writing to the folder.
        DataError: the folder has masks without a record.
        OSError: the folder cannot be written to.
        ValueError: an impossible shard.
    """

    def __init__(self, root, recipe, shard=(0, 1)):
        index, count = shard
        if not 0 <= index < count:
            raise ValueError(f'shard must be (index, count) with 0 <= index < count, got {shard}.')
        self.root = Path(root)
        self._recipe = json.loads(json.dumps(recipe))  # as it is read back
        refuse_manifest(self.root)
        self._records = read_records(self.root)  # before the lock: none in a folder of others
        known = (self.root / '.lock').exists()
        self._lock = self._take_lock(index, count)
        if known and count == 1:  # never in a folder that is not ours
            for folder, _, _ in os.walk(self.root):
                remove_temporaries(folder)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """End writing; the folder is free for others."""
        self._lock.close()

    def is_done(self, name, inputs='', **facts):
        """Whether the mask is there and was made by this recipe from these inputs.

        Args:
            name (str): ID of the image; with ``/`` for subfolders.
            inputs (str): identifies what the mask was made from, such as `box_hash`.
            **facts: further facts that the record must have, see `write`.
        """
        made = self._records.get(name)
        return made is not None and {**made, **self.record(inputs, **facts)} == made

    def other_recipes(self):
        """The recipes of the masks that were made in another way, list of dict without repetitions.
        """
        others = []
        for record in self._records.values():
            if record['recipe'] != self._recipe and record['recipe'] not in others:
                others.append(record['recipe'])
        return others

    def record(self, inputs='', **facts):
        """The record of a mask, for `write_mask` in another process; see `write`."""
        return dict(facts, recipe=self._recipe, inputs=inputs)

    def write(self, name, mask, inputs='', **facts):
        """Write a mask with its record as palette PNG (VOC colours).

        Args:
            name, inputs (str): see `is_done`.
            mask (np.ndarray): uint8 (H, W), class indices, 255 ignored.
            **facts: further facts for the record, as JSON can write them.

        Raises:
            OSError: the disk is full (`name_disk_faults`), ...; the mask that was there stays.
            ValueError: another dtype or shape; a name outside the folder.
        """
        record = self.record(inputs, **facts)
        write_mask(label_path(self.root, name, '.png'), mask, record)
        self._records[name] = json.loads(json.dumps(record))

    def _take_lock(self, index, count):
        """Lock the folder. Shards share this lock, and each has one of its own."""
        with ExitStack() as stack:
            try:
                stack.enter_context(lock_file(self.root / '.lock', shared=count > 1))
                if count > 1:
                    stack.enter_context(lock_file(self.root / f'.lock.{index}-of-{count}'))
            except BlockingIOError as error:
                raise BlockingIOError(
                    f'{self.root}: another process is writing masks there. Wait for its end and '
                    'start again, or choose another folder. Only different shards share a folder; '
                    'a start without shards has it alone.') from error
            return stack.pop_all()


def label_path(root, name, suffix):
    """The path of an image's label in a folder that programs write.

    Args:
        root (Path): the folder.
        name (str): ID of the image; with ``/`` for subfolders.
        suffix (str): of the file.

    Returns:
        Path: ``ROOT/NAME + SUFFIX``.

    Raises:
        ValueError: it would lie outside the folder.
    """
    if Path(name).is_absolute() or '..' in Path(name).parts:
        raise ValueError(f'{name}: a label of this name would lie outside {root}: correct the list '
                         'of images.')
    return root / f'{name}{suffix}'


def read_records(root):
    """Read how the masks of a folder were made; masks may be added meanwhile.

    Args:
        root (str | Path): a folder that `MaskFolder` wrote; it may be missing.

    Returns:
        dict: name -> record, see `write_mask`: recipe (dict), inputs (str) and further facts.

    Raises:
        DataError: masks have no record, or a damaged one.
    """
    records, strange, recipe = {}, [], None
    for name, path in mask_files(root).items():
        try:
            record = read_record(path)
        except DataError:
            record = None
        if record is None:
            strange.append(name)
            continue
        if record['recipe'] != recipe:
            recipe = record['recipe']
        records[name] = dict(record, recipe=recipe)  # once in memory: most masks share it
    if strange:
        remedy = (f'Run "python {CONVERTER} {root}" once: manifest.json has their record.'
                  if Path(root, 'manifest.json').exists() else
                  'They are not overwritten: choose an empty folder, or move them away.')
        raise DataError(f'{root}: {len(strange)} mask(s) have no record of how they were made: '
                        f'{abridged(strange, 5)}. {remedy}')
    return records


def mask_files(root):
    """The PNG files in a folder and its subfolders; hidden ones are no masks.

    Returns:
        dict: name, with ``/`` for subfolders -> path, str, sorted.
    """
    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root)
                   for name in names if name.endswith('.png') and not name.startswith('.'))
    # strings: of 10,000 masks, pathlib would take as long as the files themselves
    start = len(os.path.join(root, ''))
    return {path[start:-len('.png')].replace(os.sep, '/'): path for path in paths}


def refuse_manifest(root):
    """Raise a DataError where an older version recorded the masks of a folder in a manifest."""
    manifests = find_manifests(root)
    if manifests:
        raise DataError(
            f'{manifests[0]}: this version keeps the record of each mask in its file. Run "python '
            f'{CONVERTER} {root}" once; the pixels stay as they are.')


def find_manifests(root):
    """The files of JSON lines in which older versions recorded the masks of a folder."""
    return sorted([*Path(root).glob('manifest.jsonl'), *Path(root).glob('manifest.*-of-*.jsonl')])


def maker_faults(root, made_by, paths):
    """Whether masks were made by another method than expected.

    Args:
        root (str | Path): the folder of the masks.
        made_by (str, optional): the ``method`` that the recipe of each must have; None: any.
        paths (Sequence[str]): the masks. Of each the header is read; those that are missing are
            left to others.

    Returns:
        list[str]: one sentence with the remedy, or none.
    """
    try:
        refuse_manifest(root)
    except DataError as error:
        return [str(error)]
    if made_by is None:
        return []
    if '://' in str(root):
        return [f"{root}: made_by={made_by!r} reads the headers of the masks, so it needs a local "
                'folder. Copy the masks to this machine, or remove made_by.']
    others = [f'{path} ({maker})' for path in paths
              if (maker := _maker(path)) not in ('', f'made by {made_by!r}')]
    return [] if not others else [
        f'{root}: made_by={made_by!r} expects that this method made the masks, but {len(others)} '
        f'of {len(paths)} do not say so: {abridged(others, 5)}. Set pseudo_mask to the folder of '
        'that method, or made_by to the method of this folder.']


def judge_faults(root, paths):
    """Whether a judge chose where masks are from (tools/generate_pseudo_masks.py --judge).

    Args:
        root, paths: see `maker_faults`.

    Returns:
        list[str]: one sentence with the remedy, or none.
    """
    if '://' in str(root):
        return [f"{root}: masks of type 'auto' have their headers read, so they need a local "
                "folder. Copy the masks to this machine, or use the type 'folder'."]
    others = [path for path in paths if os.path.isfile(path) and not _is_judged(path)]
    return [] if not others else [
        f"{root}: masks of type 'auto' are those that a judge chose, but {len(others)} of "
        f'{len(paths)} do not say so: {abridged(others, 5)}. Make them with tools/judge_masks.py '
        "and tools/generate_pseudo_masks.py --judge, or use dict(type='folder', ...) to take them "
        'as they are.']


def _is_judged(path):
    try:
        return 'source' in (read_record(path) or {})
    except DataError:
        return False


def _maker(path):
    """What the record of a mask says of the method, in words; '' where there is no file."""
    if not os.path.isfile(path):
        return ''
    try:
        record = read_record(path)
    except DataError:
        return 'its record is damaged'
    return f'made by {record["recipe"].get("method")!r}' if record else 'without a record'
