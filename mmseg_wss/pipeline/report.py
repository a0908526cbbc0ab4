"""What came out of a pipeline: the quality of its masks and of its networks, in one place."""
import json
import os.path as osp
from glob import escape, glob

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from prettytable import PrettyTable

from mmseg_wss.evaluation.val_curve import read_curve
from mmseg_wss.pipeline.report_page import write_report_page
from mmseg_wss.pipeline.stage import PipelineError
from mmseg_wss.utils.fileio import atomic_path

MASK_SCORES = dict(miou='mIoU of kept pixels', coverage='coverage', fg_precision='precision')


def write_report(stages, folder, plan=None):
    """Print the tables, and write pipeline.json, pipeline.png and report.html.

    Args:
        stages (list[Stage]): of a finished pipeline, from `plan_stages`.
        folder (str): to write into.
        plan (str, optional): a Markdown text for the page, such as plan.md of tools/plan.py.
    """
    report = collect(stages)
    with atomic_path(osp.join(folder, 'pipeline.json')) as temporary:
        temporary.write_text(json.dumps(report, indent=1))
    draw(osp.join(folder, 'pipeline.png'), report)
    shown = tables(report)
    print(*shown, sep='\n')
    write_report_page(folder, stages, shown, plan)
    print(f'report.html, pipeline.json and pipeline.png written into {folder}')


def collect(stages):
    """Read what the stages of a finished pipeline left.

    Args:
        stages (list[Stage]): from `plan_stages`.

    Returns:
        dict: 'masks': stage -> the scores of tools/analysis_tools/mask_report.py, fractions in 0..1
        or None, for each stage whose masks a stage of that tool measured; 'networks': training ->
        'curve', a list of (step, val mIoU in percent), 'last_val', its last value or None, and
        'tests', stage -> what tools/test.py measured.
    """
    masks, networks = {}, {}
    for stage in stages:
        if stage.tool == 'train.py':
            curve = [(step, entry['mIoU']) for step, entry in read_curve(stage.folder).items()]
            networks[stage.name] = dict(
                curve=curve, last_val=curve[-1][1] if curve else None, tests={})
        elif stage.tool == 'test.py' and stage.inputs:
            networks[stage.inputs[0].name]['tests'][stage.name] = last_test(stage.folder)
        elif stage.tool == 'analysis_tools/mask_report.py':
            with open(osp.join(stage.folder, 'report.json')) as file:
                folders = json.load(file)['folders']
            # by name: the work dir may have been moved since
            masks.update({osp.basename(path): scores for path, scores in folders.items()})
    return dict(masks=masks, networks=networks)


def last_test(work_dir):
    """The metrics that tools/test.py wrote last into a folder.

    Raises:
        PipelineError: there are none.
    """
    paths = sorted(glob(osp.join(escape(work_dir), '*', '*.json')))
    if not paths:
        raise PipelineError(f'{work_dir}: no metrics of tools/test.py (TIME/TIME.json). Delete '
                            'this folder to evaluate again.')
    with open(paths[-1]) as file:
        return json.load(file)


def tables(report):
    """The report in percent, '-' for what there is not.

    Args:
        report (dict): from `collect`.

    Returns:
        list[PrettyTable]: of the masks, where any were measured, and of the networks.
    """
    masks = PrettyTable(['masks', *MASK_SCORES.values()])
    for name, scores in report['masks'].items():
        masks.add_row([name, *(_percent(scores[key], 100) for key in MASK_SCORES)])
    networks = PrettyTable(['network', 'steps', 'val mIoU (last)', 'test mIoU'])
    for name, network in report['networks'].items():
        networks.add_row([
            name, network['curve'][-1][0] if network['curve'] else '-',
            _percent(network['last_val']),
            ', '.join(_percent(test.get('mIoU')) for test in network['tests'].values()) or '-'])
    for table in (masks, networks):
        table.align = 'r'
        table.align[table.field_names[0]] = 'l'
    return [masks, networks] if report['masks'] else [networks]


def _percent(value, scale=1):
    return '-' if value is None else f'{scale * value:.2f}'


def draw(path, report):
    """Write a PNG: curves of the networks' val mIoU and, where there is truth, bars of the masks.

    Args:
        path (str): the PNG; it appears when it is complete.
        report (dict): from `collect`.
    """
    panels = 1 + bool(report['masks'])
    figure = Figure(figsize=(5.5 * panels, 4), layout='constrained')
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for name, network in report['networks'].items():
        axes[0].plot(*zip(*network['curve'] or [(float('nan'), ) * 2]), marker='.', label=name)
    axes[0].set(xlabel='step', ylabel='val mIoU (%)')
    axes[0].grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    if report['masks']:
        _draw_bars(axes[1], report['masks'])
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))


def _draw_bars(axis, masks):
    width = 0.8 / len(MASK_SCORES)
    for number, (key, title) in enumerate(MASK_SCORES.items()):
        values = [float('nan') if scores[key] is None else 100 * scores[key]
                  for scores in masks.values()]
        axis.bar([k + (number - 1) * width for k in range(len(masks))], values, width, label=title)
    axis.set_xticks(range(len(masks)), list(masks), rotation=20, ha='right', fontsize=8)
    axis.set(ylabel='%', ylim=(0, 100))
    axis.grid(axis='y', alpha=0.3)
    axis.legend(fontsize=8, ncols=3, loc='lower center', bbox_to_anchor=(0.5, 1))
