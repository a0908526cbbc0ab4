"""The tables and the bars of a report on masks."""
import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from prettytable import PrettyTable

from mmseg_wss.utils.fileio import atomic_path

SCORES = 'miou', 'miou_all', 'fg_precision', 'fg_recall', 'coverage', 'fg_coverage'
CLASS_SCORES = 'precision', 'recall', 'coverage', 'iou', 'iou_all', 'boundary_iou'
SHARES = 'agree', 'differ', 'one_ignores', 'both_ignore'
TITLES = dict(
    miou='mIoU (kept)', miou_all='mIoU (ignored = missed)', fg_precision='fg precision',
    fg_recall='fg recall', coverage='coverage', fg_coverage='fg coverage',
    boundary_miou='boundary mIoU (kept)', precision='precision', recall='recall', iou='IoU (kept)',
    iou_all='IoU (ignored = missed)', boundary_iou='boundary IoU (kept)', agree='agree',
    differ='differ', one_ignores='exactly one ignores', both_ignore='both ignore')


def make_table(title, rows, columns):
    """A table of rows, dict of dicts, in percent."""
    table = PrettyTable([title, *(TITLES.get(name, name) for name in columns)])
    table.align = 'r'
    table.align[title] = 'l'
    for name, values in rows.items():
        table.add_row([name, *('-' if values[key] is None else f'{100 * values[key]:.2f}'
                               for key in columns)])
    return table


def report_tables(report, with_truth):
    """The tables of a report (`make_report`), list of (heading, PrettyTable)."""
    tables = []
    if with_truth:
        tables.append(('Masks, in percent', make_table(
            'masks', report['folders'], (*SCORES, 'boundary_miou'))))
        tables += [(f'Classes of {folder}', make_table(folder, scores['classes'], CLASS_SCORES))
                   for folder, scores in report['folders'].items()]
    if report['agreement']:
        first, *others = report['folders']
        tables.append((f'Agreement with {first}', make_table(
            f'pixels, with {first}', report['agreement'], SHARES)))
        classes = {name: {folder: report['agreement'][folder]['classes'][name] for folder in others}
                   for name in report['folders'][first]['classes']}
        tables.append((f'Classes against {first}', make_table(
            f'IoU with {first} (both keep)', classes, others)))
    return tables


def draw_bars(path, classes, report, with_truth):
    """Write a PNG: for each score a bar for each class and folder."""
    charts = {TITLES[key]: {
        folder: [row[key] for row in scores['classes'].values()]
        for folder, scores in report['folders'].items()}
        for key in ('iou', 'precision', 'recall', 'coverage', 'boundary_iou') if with_truth}
    if report['agreement']:
        charts[f'IoU with {next(iter(report["folders"]))}'] = {
            folder: list(scores['classes'].values())
            for folder, scores in report['agreement'].items()}
    figure = Figure(figsize=(3 + 0.4 * len(classes), 2 * len(charts) + 1.2), layout='constrained')
    axes = figure.subplots(len(charts), 1, sharex=True, squeeze=False)[:, 0]
    colours = {folder: f'C{i}' for i, folder in enumerate(report['folders'])}
    for axis, (title, bars) in zip(axes, charts.items()):
        width = 0.8 / len(bars)
        for i, (folder, values) in enumerate(bars.items()):
            axis.bar(np.arange(len(classes)) + (i + 0.5) * width - 0.4,
                     [math.nan if value is None else 100 * value for value in values],
                     width, color=colours[folder], label=folder)
        axis.set(ylabel='%', ylim=(0, 100), title=title)
        axis.grid(axis='y', alpha=0.3)
    axes[-1].set_xticks(range(len(classes)), classes, rotation=45, ha='right')
    figure.legend(*axes[0].get_legend_handles_labels(), loc='outside lower center', fontsize=8)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
