"""Import what a labelling tool has exported."""
import os.path as osp
import shlex
import shutil
from collections import Counter
from importlib import import_module
from pathlib import Path

from mmseg_wss.errors import DataError, abridged
from mmseg_wss.labels.checks.class_check import class_faults
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.imports.devkit import Job, image_ids, write_images
from mmseg_wss.labels.imports.doubles import leave_out_doubles, leave_out_guesses
from mmseg_wss.labels.imports.image_files import ImageFiles
from mmseg_wss.labels.imports.lists import TAG_FILE, config_lists, image_lists, write_lists
from mmseg_wss.labels.imports.ready_config import config_text
from mmseg_wss.labels.imports.recognise import TITLES, recognise
from mmseg_wss.labels.imports.records import BACKGROUND_NAMES
from mmseg_wss.utils.new_folder import put_in_place, remove_leftovers, temporary_of

IGNORED = '__ignore__', 'ignore'  # names of classes whose regions are 255
_SHOWN = 50  # faults


def import_labels(source, out, choose_val, configs, images=None, kind=None, classes=None,
                  ignored=IGNORED, kinds=None, val=None, link=False, overwrite=False,
                  skip_faulty=False, workers=1, instances=None, min_score=0.5):
    """Make a VOC devkit; see tools/dataset_converters/import_labels.py.

    It is written beside `out` and renamed when it is whole.

    Args:
        source (str): file or folder of an export.
        out (str): the devkit.
        choose_val (Callable): called with a dict, ID -> class names, and a share; returns the IDs
            of the validation.
        configs (str): folder of the project's configs.
        images (str, optional): folder of the images; that of the export without it.
        kind (str, optional): of `TITLES`; recognised without it.
        classes (Sequence[str], optional): names of the classes to import, without the background,
            in their order; all without it.
        ignored (Sequence[str]): names of classes whose regions become 255.
        kinds (Sequence[str], optional): kinds of labels to use; the richest of each image without.
        val (float, optional): share of the images with masks; None: the splits of the export, if
            it has any, else 0.2.
        link (bool): link images instead of copying them.
        overwrite (bool): replace `out`.
        skip_faulty (bool): leave out images that are wrong.
        workers (int): processes.
        instances (str, optional): a COCO file with the images and categories of `source`, COCO's
            results.
        min_score (float): results below it are left out.

    Returns:
        int: number of faults; with one, nothing is written.

    Raises:
        DataError: the export is not known, or wrong as a whole.
        OSError: a file cannot be written.
    """
    out = osp.normpath(out)
    _check_out(out, source, overwrite)
    _check_kept(out, filter(None, (source, instances)))
    remove_leftovers(out)
    export = recognise(source, kind)
    if instances and export.kind != 'coco':
        raise DataError(f'{source}: --instances belongs to results of COCO, and this is '
                        f'{TITLES[export.kind]}. Remove the option.')
    print(f'{source}: {TITLES[export.kind]}, {len(export.files)} file(s)', flush=True)
    options = dict(instances=instances, min_score=min_score) if instances else {}
    labels = read_labels(export, images, **options)
    _check_kept(out, sorted({osp.dirname(osp.realpath(image.path)) for image in labels.images}))
    faults = labels.faults + leave_out_doubles(labels)
    if not labels.images:
        return _report([*faults, f'{source}: it has no image that can be used. Give the folder of '
                        'the images by --images, or another export.'], skipped=False)
    names = ['background', *chosen_classes(labels, classes, ignored, source)]
    ids = image_ids([image.path for image in labels.images])
    jobs = [Job(ids[image.path], image) for image in labels.images]
    print(*labels.notes, _summary(labels, names), sep='\n', flush=True)
    if faults and not skip_faulty:
        return _report(faults, skipped=False)
    temporary = temporary_of(out)
    try:
        written, failures = write_images(temporary, jobs, names, ignored, link, workers)
        faults += [failures[name] for name in sorted(failures)]
        if faults and not (skip_faulty and written):
            return _report(faults, skipped=False)
        splits = {job.name: job.image.split for job in jobs}
        lists, unlisted = image_lists(written, splits, kinds, val, choose_val)
        sources = config_lists(lists)
        text, unused = config_text(sources, len(names), configs, TAG_FILE,
                                   osp.join('work_dirs', osp.basename(osp.abspath(out))))
        write_lists(temporary, written, lists, names)
        write_lines(osp.join(temporary, 'config.py'), [text])
        put_in_place(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if faults:
        _report(faults, skipped=True)
    _print_result(out, written, lists, unlisted, [sources[kind][0] for kind in unused])
    return 0


def _check_out(out, source, overwrite):
    if osp.lexists(out) and not overwrite:
        raise DataError(f'{out}: there is such a file or folder. Choose another --out, or replace '
                        'it by --overwrite.')
    if osp.abspath(out).startswith(osp.join(osp.abspath(source), '')):
        raise DataError(f'{out}: it is below {source}, whose images are looked for. Choose an '
                        '--out beside it.')


def _check_kept(out, paths):
    """DataError where --overwrite would delete what is read."""
    for path in paths:
        if Path(path).resolve().is_relative_to(Path(out).resolve()):
            raise DataError(f'{out}: it has {path}, which is read, and would be replaced. Choose '
                            'another --out.')


def read_labels(export, images=None, **options):
    """Read an export.

    Args:
        export (Export): see `recognise`.
        images (str, optional): folder of the images.
        **options: of the reader.

    Returns:
        Labels
    """
    files = ImageFiles(images or export.root)
    if not files.paths and not images:  # labels and images side by side
        files = ImageFiles(osp.dirname(osp.abspath(export.root)))
    reader = import_module(f'mmseg_wss.labels.imports.{export.kind}')
    labels = reader.read(export.files, files, **options)
    leave_out_guesses(labels, files)
    return labels


def chosen_classes(labels, wanted, ignored, source):
    """Names of the classes, without the background.

    Raises:
        DataError: a class that is wanted is not there, or there are none, or too many.
    """
    used = [item.name for image in labels.images for item in image.shapes]
    used += [name for image in labels.images for name in image.tags]
    names = [name for name in dict.fromkeys([*labels.classes, *sorted(used)])
             if name not in (*ignored, *BACKGROUND_NAMES)]
    missing = [name for name in wanted or () if name not in names]
    if missing and len(missing) == len(wanted):
        raise DataError(f'{source}: --classes has {abridged(missing)}, but the classes are '
                        f'{abridged(names)}: correct the names.')
    alike = Counter(name.casefold() for name in names)
    if max(alike.values(), default=1) > 1 and not wanted:
        labels.notes.append('these classes differ in capitals alone, and are different classes: '
                            + abridged([name for name in names if alike[name.casefold()] > 1]))
    drawn = {item.name for image in labels.images for item in image.shapes}
    tagged = [name for name in names if name in {*used} - drawn]
    if drawn and tagged and not wanted and not any(image.mask for image in labels.images):
        labels.notes.append(f'images have tags of {abridged(tagged)}, but nothing is drawn as one '
                            'of these classes. If they are no objects (weather, place), leave them '
                            'out by --classes')
    if missing:
        labels.notes.append(f'of --classes nothing is labelled as {abridged(missing)}')
    names = list(wanted or names)
    faults = class_faults(['background', *names]) or (
        [] if names else ['is empty: label an object first'])
    if faults:
        raise DataError('\n'.join(f'{source}: the list of classes {fault}. Choose by --classes.'
                                  for fault in faults))
    return names


def _summary(labels, names):
    shapes = Counter(item.kind for image in labels.images for item in image.shapes)
    shapes.update(tag=sum(len(image.tags) for image in labels.images),
                  mask=sum(image.mask is not None for image in labels.images))
    found = ', '.join(f'{count} {kind}(s)' for kind, count in shapes.items() if count)
    return (f'{len(labels.images)} images with {found or "no label"}; {len(names)} classes with '
            f'the background: {abridged(names, 30)}')


def _report(faults, skipped):
    """Print faults; returns their number."""
    for fault in faults[:_SHOWN]:
        print(f'  {fault}')
    if faults[_SHOWN:]:
        print(f'  and {len(faults) - _SHOWN} more')
    print(f'{len(faults)} fault(s): ' + (
        'what is named above was left out.' if skipped else
        'nothing was written. Correct them, or leave out what is wrong by --skip-faulty.'))
    return len(faults)


def _print_result(out, written, lists, unlisted, unused):
    left_out = sum((image.left_out for image in written.values()), Counter())
    for what, count in left_out.items():
        print(f'left out: {count} {what}')
    empty = sum(image.is_empty for image in written.values())
    if empty:
        print(f'{empty} image(s) are known to be empty: all background')
    for name, ids in lists.items():
        print(f'{name}.txt: {len(ids)} images')
    if unlisted:
        print(f'{unlisted} image(s) of the val or test split have no mask to compare with, and are '
              'in no list')
    if unused:
        print(f'config.py does not use {", ".join(f"{name}.txt" for name in unused)}: none of the '
              'configs trains with these labels beside the others. --kinds chooses the labels.')
    config = shlex.quote(osp.join(out, 'config.py'))
    print(f'{out}: made. Look at it, train, and predict:', f'check_data {config}',
          f'browse_dataset {config}', f'train {config}',
          f'predict {config} CHECKPOINT PHOTOGRAPHS --out DIR', sep='\n  python -m mmseg_wss ')
