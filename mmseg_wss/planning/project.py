"""The folder of a plan, made from a folder of labels or an export."""
import contextlib
import io
import os
import os.path as osp
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

from mmseg_wss.errors import DataError
from mmseg_wss.labels.formats.text_list import write_lines
from mmseg_wss.labels.imports.importer import import_labels
from mmseg_wss.planning.choices import make_plan
from mmseg_wss.planning.config_text import PARTS, config_text, part_text, pipeline_text
from mmseg_wss.planning.facts import data_facts, look_at
from mmseg_wss.planning.folder import LIST_NAMES, is_devkit, read_folder
from mmseg_wss.planning.plan_text import plan_text
from mmseg_wss.simulation.splits import stratified_part
from mmseg_wss.utils.new_folder import put_in_place, remove_leftovers, temporary_of

VAL = 0.2  # share of the strong images that is held out where there are no others
DEVKIT = 'devkit'  # of an import, in the project
_SHOWN = 30  # faults
_NO_NAME = ' ,\'"{}'  # the pipeline's work dir has the name of the project, see `plan_stages`


def make_project(source, out, configs, machine, images=None, seed=0, workers=1, overwrite=False):
    """Look at labels, plan, and write the project folder; see tools/plan.py.

    It is written beside `out` and renamed when it is whole.

    Args:
        source (str): a devkit, a folder in VOC layout, or an export of a labelling tool.
        out (str): the project folder.
        configs (str): folder of the project's configs.
        machine (Machine): what trains.
        images (str, optional): the images of an export.
        seed (int): of the choice of the images that are held out.
        workers (int): threads and processes.
        overwrite (bool): replace `out`.

    Returns:
        tuple: number of faults, with which nothing is written; and (`Plan`, `DataFacts`) or None.

    Raises:
        DataError: a source that is not there or not known, lists that are wrong, a name of `out`
            that cannot be used.
        OSError: a file cannot be written.
    """
    out = osp.normpath(out)
    _check_out(out, source, overwrite)
    remove_leftovers(out)
    temporary = temporary_of(out)
    try:
        os.makedirs(temporary)
        imported = not is_devkit(source)
        root = source
        if imported:
            root = osp.join(temporary, DEVKIT)
            faults = _import(source, root, out, configs, images, seed, workers)
            if faults:
                return faults, None
        elif images is not None:
            raise DataError(f'--images belongs to an export, and {source} is a devkit: its images '
                            'are in JPEGImages. Remove the option.')
        folder = read_folder(root)
        folder, facts, faults = _looked_at(folder, temporary, seed, workers)
        if faults:
            return _report(faults, temporary, out), None
        if imported:
            folder = replace(folder, root=DEVKIT)
        plan = make_plan(facts, machine)
        _write(temporary, out, plan, facts, machine, folder, configs)
        put_in_place(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return 0, (plan, facts)


def commands_of(out, plan):
    """What to do with a project, lines of a shell."""
    first, name = (plan.teacher, 'teacher.py') if plan.teacher else (plan.network, 'config.py')
    commands = [f'python tools/train_pipeline.py {shlex.quote(osp.join(out, "pipeline.py"))}']
    if not any(source.masks for source in first.sources):  # else the pipeline makes its masks
        commands.insert(0, f'python tools/browse_dataset.py {shlex.quote(osp.join(out, name))}   '
                        '# pictures of what the network receives')
    return commands


def _check_out(out, source, overwrite):
    name = osp.basename(osp.abspath(out))
    if set(name) & set(_NO_NAME):
        raise DataError(f'{out}: the folders of trainings get this name, which must have no blank, '
                        'comma, quote or brace. Choose another --out.')
    if not osp.exists(source):
        raise DataError(f'{source}: there is no such file or folder. Give a folder of images and '
                        'labels (docs/own_data.md), or what a labelling tool has exported.')
    if osp.lexists(out) and not overwrite:
        raise DataError(f'{out}: there is such a file or folder. Choose another --out, or replace '
                        'it by --overwrite.')
    here, there = Path(out).resolve(), Path(source).resolve()
    if here == there or here in there.parents:
        raise DataError(f'{out}: it has {source}, which is read, and would be replaced. Choose '
                        'another --out.')
    if there in here.parents and not is_devkit(source):
        raise DataError(f'{out}: it is below {source}, whose images are looked for. Choose an '
                        '--out beside it.')


def _import(source, devkit, out, configs, images, seed, workers):
    """Import an export; returns the number of faults."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            faults = import_labels(
                source, devkit, lambda tags, part: stratified_part(tags, part, seed), configs,
                images=images, workers=workers)
    finally:
        text = printed.getvalue().partition(f'{devkit}: made')[0]
        print(text.replace(devkit, osp.join(out, DEVKIT)), end='', flush=True)
    if not faults:
        os.remove(osp.join(devkit, 'config.py'))  # the plan has its own
    return faults


def _looked_at(folder, temporary, seed, workers):
    """The folder with lists of a validation, what is in it, and its faults."""
    lists = Path(osp.abspath(temporary), 'lists')
    _write_lists(lists, folder)
    seen, faults = look_at(folder, str(lists), workers)
    held_out = False
    if not faults and 'val' not in folder.lists and 'pixel' in folder.lists:
        tags = {name: fact.seen - {folder.classes[0]}
                for name, fact in zip(folder.lists['pixel'], seen['pixel'])}
        tests = any(tags.values())  # else nothing could be found in them
        val = set(stratified_part(tags, VAL, seed)) if tests else set()
        if val:
            held_out = True
            folder, seen = _split(folder, seen, val)
            _write_lists(lists, folder)
    return folder, data_facts(seen, folder.classes, held_out) if not faults else None, faults


def _split(folder, seen, val):
    """Move strong images to the validation."""
    pairs = list(zip(folder.lists['pixel'], seen['pixel']))
    parts = {kind: [pair for pair in pairs if (pair[0] in val) == (kind == 'val')]
             for kind in ('pixel', 'val')}
    lists = {**folder.lists, **{kind: [name for name, _ in part] for kind, part in parts.items()}}
    seen = {**seen, **{kind: [fact for _, fact in part] for kind, part in parts.items()}}
    return replace(folder, lists=lists), seen


def _write_lists(lists, folder):
    for kind, names in folder.lists.items():
        write_lines(lists / f'{LIST_NAMES[kind]}.txt', names)
    write_lines(lists / 'images.txt', folder.images)


def _write(temporary, out, plan, facts, machine, folder, configs):
    name = osp.basename(osp.abspath(out))
    files = {f'{file}.py': config_text(
        plan, network, folder, configs, f'{name}_{file}', facts.val > 0)
        for file, network in (('config', plan.network), ('teacher', plan.teacher)) if network}
    for masks, file in PARTS.items():
        files[file] = part_text(plan.network, masks)
    files['pipeline.py'] = pipeline_text(plan, facts, name, osp.join(folder.root, 'JPEGImages'))
    files['plan.md'] = plan_text(plan, facts, machine, folder, name, commands_of(out, plan))
    for file, text in files.items():
        if text:
            write_lines(osp.join(temporary, file), [text.rstrip('\n')])


def _report(faults, temporary, out):
    """Print faults; returns their number."""
    for fault in faults[:_SHOWN]:
        print('  ' + fault.replace(osp.abspath(temporary), out))
    if faults[_SHOWN:]:
        print(f'  and {len(faults) - _SHOWN} more')
    print(f'{len(faults)} fault(s): nothing was written. Correct them, or remove the images.')
    return len(faults)
