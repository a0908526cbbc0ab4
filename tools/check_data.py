"""Look at every file of a config's data sets before a training, and report every fault at once.

    python tools/check_data.py CONFIG [--workers N] [--max-shown N] [--no-model]
                               [--cfg-options KEY=VALUE ...]

Checks the lists, images and labels of training, val and test; true masks of weak images are not
opened. The share of each class is shown, and labels that are strange though no fault are warned of.
Where the files have no fault, the model is built and a batch with images of every training source
runs through its loss, on the CPU and without pretrained weights; --no-model leaves that out. The
exit code is 1 if there is a fault.
"""
import argparse
from concurrent.futures import ThreadPoolExecutor

from mmengine.registry import init_default_scope

from mmseg_wss.engine.config_check import (
    check_sample,
    class_order_faults,
    head_faults,
    overlap_faults,
    read_data_lists,
    val_label_faults,
)
from mmseg_wss.engine.model_check import model_faults
from mmseg_wss.engine.run_config import add_cfg_options, read_config
from mmseg_wss.engine.scale_check import scale_warning, seen_sizes
from mmseg_wss.labels.checks.share_check import share_table, share_warnings
from mmseg_wss.labels.kinds import KINDS, is_truth
from mmseg_wss.utils.cli import add_workers, natural_int, run_tool
from mmseg_wss.utils.progress import track

EMPTY_AS = dict(background='known to be empty (all background)',
                unlabelled='without an object (taken as unlabelled)')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='train config file path')
    add_workers(parser, 'threads that decode files')
    parser.add_argument('--max-shown', type=natural_int, default=100, metavar='N',
                        help='faults shown of one list, 0 for all (default: %(default)s)')
    parser.add_argument('--no-model', action='store_true',
                        help='do not build the model and run a batch through its loss')
    add_cfg_options(parser)
    return parser.parse_args()


def check_samples(lists, workers):
    """Check each image of the lists once, also where lists share it.

    Returns:
        dict: key of a sample (`sample_key`) -> what `check_sample` says.
    """
    samples = {sample_key(info, entry): (info, entry.classes, entry.pipeline)
               for entry in lists for info in entry.images}
    # threads: most of the time goes into decoders, which release the interpreter's lock
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda sample: check_sample(*sample), samples.values())
        return dict(zip(samples, track(results, 'Checking', total=len(samples))))


def sample_key(info, entry):
    return repr(info), entry.classes, repr(entry.pipeline)


def summary(entry, facts, num_faults):
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
        classes += f', {empty} {EMPTY_AS[entry.empty]}'
    return (f'{entry.name}: {len(entry.images)} images, supervision {entry.supervision!r}, '
            f'{classes}, {num_faults} fault(s)')


def title_of(entry):
    return entry.name.split(' (')[0].removeprefix('training ')


def show_sizes(sizes, lists):
    """A line for each list whose images could be read."""
    for entry, size in zip(lists, sizes):
        if size is not None:
            print(f'{title_of(entry)}: {size}')


def show_shares(lists, facts):
    """A table of the lists with labels, one for each set of classes."""
    columns = {}
    for entry, images in zip(lists, facts):
        if any(fact.seen or fact.pixels for fact in images):
            columns.setdefault(entry.classes, {})[title_of(entry)] = images
    for classes, table in columns.items():
        print(*share_table(table, classes), sep='\n')


def show_warnings(lists, facts, sizes):
    """Returns the number of warnings."""
    warnings = {}  # a list that is val and test is warned of once
    for entry, images in zip(lists, facts):
        keys = set().union(*entry.images)
        for warning in share_warnings(
                images, 'pseudo_mask_path' in keys, 'partial_mask_path' in keys):
            warnings.setdefault(warning, entry.name)
    # strong images are the measure of sizes, where there are any
    measures = sorted((not is_truth(entry.supervision), number) for number, entry in
                      enumerate(lists) if entry.for_training and sizes[number] is not None)
    for entry, size in zip(lists, sizes) if measures else ():
        if not entry.for_training and size is not None:
            warning = scale_warning(sizes[measures[0][1]], size)
            if warning is not None:
                warnings.setdefault(warning, entry.name)
    for warning, name in warnings.items():
        print(f'warning: {name}: {warning}')
    return len(warnings)


def show_faults(faults, max_shown):
    for fault in faults[:max_shown or None]:
        print(f'  {fault}')
    if 0 < max_shown < len(faults):
        print(f'  and {len(faults) - max_shown} more: --max-shown 0 shows all')


def check_model(cfg, args, known):
    """Returns the faults of the model, which is not run where faults are `known`."""
    if args.no_model or not (cfg.get('model') and cfg.get('train_dataloader')):
        return []
    if known:
        print('the model: not run, since there are faults above')
        return []
    faults = model_faults(cfg)
    print(f'the model: {len(faults)} fault(s) when it is built and a batch with images of every '
          'source runs through its loss')
    show_faults(faults, args.max_shown)
    return faults


def run(args):
    """Returns the number of faults."""
    cfg = read_config(args)
    init_default_scope(cfg.get('default_scope', 'mmseg'))

    lists = read_data_lists(cfg)
    checked = check_samples(lists, args.workers)
    results = [[checked[sample_key(info, entry)] for info in entry.images] for entry in lists]
    facts = [[fact for _, fact in samples] for samples in results]
    reported = set()  # val and test may be the same list
    for entry, samples, images in zip(lists, results, facts):
        faults = entry.faults + [fault for found, _ in samples for fault in found]
        print(summary(entry, images, len(faults)))
        new = [fault for fault in faults if fault not in reported]
        show_faults(new, args.max_shown)
        if len(new) < len(faults):
            print(f'  {len(faults) - len(new)} already shown above')
        reported.update(faults)
    sizes = [seen_sizes(images, entry.pipeline) for entry, images in zip(lists, facts)]
    show_sizes(sizes, lists)
    show_shares(lists, facts)
    num_warnings = show_warnings(lists, facts, sizes)
    faults = [*overlap_faults(lists), *class_order_faults(lists), *val_label_faults(lists, results),
              *head_faults(cfg.get('model', {}), lists)]
    print(f'the config as a whole: {len(faults)} fault(s) in overlaps, classes and validation')
    show_faults(faults, args.max_shown)
    faults += check_model(cfg, args, faults or reported)
    total = len(reported) + len(faults)
    print(f'{total} fault(s), {num_warnings} warning(s); {len(checked)} images looked at with '
          'their labels')
    return total


if __name__ == '__main__':
    run_tool(run, parse_args())
