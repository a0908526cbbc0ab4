"""What the data sets of a config hold, and all their faults, on the terminal."""
from concurrent.futures import ThreadPoolExecutor

from mmseg_wss.engine.config_check import (
    check_sample,
    class_order_faults,
    head_faults,
    overlap_faults,
    val_label_faults,
)
from mmseg_wss.engine.data_lists import read_data_lists
from mmseg_wss.engine.model_check import model_faults
from mmseg_wss.engine.scale_check import scale_warning, seen_sizes
from mmseg_wss.labels.checks.share_check import share_table, share_warnings
from mmseg_wss.labels.kinds import KINDS, is_truth
from mmseg_wss.utils.progress import track

_EMPTY_AS = dict(background='known to be empty (all background)',
                 unlabelled='without an object (taken as unlabelled)')


def check_data(cfg, workers=1, max_shown=100, with_model=True):
    """Look at every file of a config's data sets, and print what is found.

    The model is run (`model_faults`) where the files have no fault and the config has a training.

    Args:
        cfg (mmengine.Config): a config; its default scope is in force.
        workers (int): threads that decode files.
        max_shown (int): faults that are printed of one list; 0 for all.
        with_model (bool): run the model.

    Returns:
        int: number of faults, each counted once.
    """
    lists = read_data_lists(cfg)
    results, num_samples = check_samples(lists, workers)
    facts = [[fact for _, fact in samples] for samples in results]
    reported = set()  # val and test may be the same list
    for entry, samples, images in zip(lists, results, facts):
        faults = entry.faults + [fault for found, _ in samples for fault in found]
        print(_summary(entry, images, len(faults)))
        new = [fault for fault in faults if fault not in reported]
        _print_faults(new, max_shown)
        if len(new) < len(faults):
            print(f'  {len(faults) - len(new)} already shown above')
        reported.update(faults)
    sizes = [seen_sizes(images, entry.pipeline) for entry, images in zip(lists, facts)]
    for line in [*_size_lines(lists, sizes), *_share_lines(lists, facts)]:
        print(line)
    warnings = {**_label_warnings(lists, facts), **_size_warnings(lists, sizes)}
    for warning, name in warnings.items():
        print(f'warning: {name}: {warning}')
    faults = [*overlap_faults(lists), *class_order_faults(lists), *val_label_faults(lists, results),
              *head_faults(cfg.get('model', {}), lists)]
    print(f'the config as a whole: {len(faults)} fault(s) in overlaps, classes and validation')
    _print_faults(faults, max_shown)
    total = len(reported) + len(faults)
    if with_model and cfg.get('model') and cfg.get('train_dataloader'):
        total += _check_model(cfg, total, max_shown)
    print(f'{total} fault(s), {len(warnings)} warning(s); {num_samples} images looked at with '
          'their labels')
    return total


def check_samples(lists, workers):
    """Check each image of the lists once, also where lists share it.

    Args:
        lists (Sequence[DataList]): the lists.
        workers (int): threads.

    Returns:
        tuple: for each list what `check_sample` says of its images; and the number of checks, int.
    """
    keys = [[(repr(info), entry.classes, repr(entry.pipeline)) for info in entry.images]
            for entry in lists]
    samples = {key: (info, entry.classes, entry.pipeline) for entry, own in zip(lists, keys)
               for key, info in zip(own, entry.images)}
    # threads: most of the time goes into decoders, which release the interpreter's lock
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda sample: check_sample(*sample), samples.values())
        checked = dict(zip(samples, track(results, 'Checking', total=len(samples))))
    return [[checked[key] for key in own] for own in keys], len(checked)


def _summary(entry, facts, num_faults):
    """One line about a list."""
    seen = set().union(*(fact.seen for fact in facts))
    empty = sum(fact.known_empty for fact in facts)
    unseen = [name for name in entry.classes if name not in seen]
    classes = f'{len(entry.classes) - len(unseen)} of {len(entry.classes)} classes seen' + (
        f' (not {", ".join(unseen)})' if unseen else '')
    if entry.supervision in KINDS and not KINDS[entry.supervision].fields:
        classes = 'no labels'
    if not entry.classes and not entry.images:
        classes = 'nothing to look at'
    if empty:
        classes += f', {empty} {_EMPTY_AS[entry.empty]}'
    return (f'{entry.name}: {len(entry.images)} images, supervision {entry.supervision!r}, '
            f'{classes}, {num_faults} fault(s)')


def _title(entry):
    return entry.name.split(' (')[0].removeprefix('training ')


def _size_lines(lists, sizes):
    """A line for each list whose images could be read."""
    return [f'{_title(entry)}: {size}' for entry, size in zip(lists, sizes) if size is not None]


def _share_lines(lists, facts):
    """A table of the lists with labels, one for each set of classes."""
    columns = {}
    for entry, images in zip(lists, facts):
        if any(fact.seen or fact.pixels for fact in images):
            columns.setdefault(entry.classes, {})[_title(entry)] = images
    return [line for classes, table in columns.items() for line in share_table(table, classes)]


def _label_warnings(lists, facts):
    """Warning -> name of the first list that it is about: val and test may be one list."""
    warnings = {}
    for entry, images in zip(lists, facts):
        keys = set().union(*entry.images)
        for warning in share_warnings(
                images, 'pseudo_mask_path' in keys, 'partial_mask_path' in keys):
            warnings.setdefault(warning, entry.name)
    return warnings


def _size_warnings(lists, sizes):
    """Like `_label_warnings`; strong images are the measure, where there are any."""
    trained = [(entry, size) for entry, size in zip(lists, sizes)
               if entry.for_training and size is not None]
    if not trained:
        return {}
    _, measure = min(trained, key=lambda pair: not is_truth(pair[0].supervision))
    warnings = {}
    for entry, size in zip(lists, sizes):
        if not entry.for_training and size is not None:
            warnings.setdefault(scale_warning(measure, size), entry.name)
    warnings.pop(None, None)
    return warnings


def _print_faults(faults, max_shown):
    for fault in faults[:max_shown or None]:
        print(f'  {fault}')
    if 0 < max_shown < len(faults):
        print(f'  and {len(faults) - max_shown} more: --max-shown 0 shows all')


def _check_model(cfg, known, max_shown):
    """Number of faults of the model, which is not run where `known` faults are in the files."""
    if known:
        print('the model: not run, since there are faults above')
        return 0
    faults = model_faults(cfg)
    print(f'the model: {len(faults)} fault(s) when it is built and a batch with images of every '
          'source runs through its loss')
    _print_faults(faults, max_shown)
    return len(faults)
