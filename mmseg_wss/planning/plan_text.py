"""A plan as a page to read: what was found, what is chosen, and why."""
import math

from mmseg_wss.planning.rare import rare_classes, small_classes
from mmseg_wss.planning.records import HEADS, WORDS, figure_text
from mmseg_wss.planning.rules import MORE_TEACHERS

_MARKED = 'in few images', 'small'


def plan_text(plan, facts, machine, folder, name, commands):
    """The text of plan.md.

    Args:
        plan (Plan), facts (DataFacts), machine (Machine), folder (Folder): what it tells.
        name (str): of the project.
        commands (Sequence[str]): what to do with it, lines of a shell.

    Returns:
        str: Markdown.
    """
    parts = [
        f'# Plan of {name}',
        'Written by tools/plan.py. Edit the files beside it as you like: lists/ says which image '
        'is used with which label, config.py what is trained, pipeline.py in which steps. The '
        'pipeline may be stopped at any moment; started again, it goes on. It ends with the '
        'network, masks of all images and one page, report.html.',
        '```bash\n' + '\n'.join(commands) + '\n```',
        '## Found', _table(('what', 'found'), found_rows(facts, machine, folder)),
        '## Classes', _table(('class', 'labelled images', 'of the pixels of all masks',
                              'of an image that has it', 'remark'), class_rows(facts)),
        '## Chosen', _table(('what', 'chosen', 'because', 'figure'), [
            (*choice[:3], figure_text(choice)) for choice in plan.choices]),
        'Figures are val mIoU on MSRC, 285 photographs for training, one to three seeds each: '
        'differences of two points say nothing, and your images are others.',
        '## Stages', _numbered(stage_lines(plan, facts))]
    if plan.warnings:
        parts += ['## Doubts', '\n'.join(f'- {warning}' for warning in plan.warnings)]
    return '\n\n'.join(parts) + '\n'


def found_rows(facts, machine, folder):
    """(what, found) for the user."""
    rows = [('folder', folder.root), ('images', str(len(folder.images)))]
    rows += [(f'for training, with {WORDS[kind]}', str(number))
             for kind, number in facts.images.items()]
    val = f'{facts.val}' + (', held out of the images with masks: a fifth, with its share of every '
                            'class' if facts.held_out else '')
    rows += [('for validation, with masks', val)]
    rows += [('for a test', str(facts.test))] if facts.test else []
    rows += [('known to be empty', str(facts.empty))] if facts.empty else []
    low, high = facts.long_sides
    rows += [('sizes', '{}x{} pixels'.format(*facts.size) + (
        f' (median); long sides of {low} to {high}' if low < high else ''))]
    if not math.isnan(facts.object_size):
        rows += [('objects', f'{facts.objects}; half of them larger than {facts.object_size:.0%} '
                  f'of the image (by sqrt(area)), nine in ten larger than '
                  f'{facts.small_objects:.0%}')]
    rows += [('classes', f'{len(facts.classes)} with the background'), ('device', machine.name)]
    return rows + [('note', note) for note in folder.notes]


def class_rows(facts):
    """(class, images, share of pixels, part of an image, remark) of each class."""
    rare, small = rare_classes(facts), small_classes(facts)
    for name in facts.classes[1:]:
        number = facts.class_images.get(name, 0)
        remarks = [word for word, names in zip(_MARKED, (rare, small)) if name in names]
        yield (name, str(number), _percent(facts.class_pixels.get(name)),
               _percent(facts.class_areas.get(name)), ', '.join(remarks) if number else 'absent')


def stage_lines(plan, facts):
    """What the pipeline does, a line a stage; names are those of its folders."""
    if plan.network.kinds_with('proposals'):
        yield f'`proposals`: masks from boxes ({plan.proposals})'
    if plan.judged:
        yield ('`judge`: two networks, each without half of the strong images, say which masks of '
               'a teacher are worth most')
    if plan.teacher:
        yield f'`teacher` (teacher.py): {_said(plan.teacher)}'
    averaged = bool(plan.network.kinds_with('ensemble'))
    if averaged:
        names = ' and '.join(f'`teacher_{seed}`' for seed in MORE_TEACHERS)
        yield f'{names}: the same with other seeds'
    kinds = [WORDS[kind] for kind in plan.network.kinds_with('teacher')]
    if kinds:
        yield f'`masks`: the masks that `teacher` makes of the images with {" and ".join(kinds)}'
    if averaged:
        yield '`masks_unlabelled`: masks of the images without a label, by the mean of all teachers'
    yield (f'`network` (config.py): {_said(plan.network)}'
           + ', from the weights of `teacher`' * plan.network.starts_from_teacher)
    if facts.val:
        yield '`test`: its IoU of each class on the images of the validation'
    yield '`predicted`: its masks of all images, and overlays'


def _said(network):
    sources = ', '.join(f'{source.number} images with {WORDS[source.kind]}'
                        for source in network.sources)
    return f'{HEADS[network.head].split(" (")[0]}, {sources}'


def _numbered(lines):
    return '\n'.join(f'{number}. {line}' for number, line in enumerate(lines, 1))


def _table(titles, rows):
    lines = [titles, ['---'] * len(titles), *rows]
    return '\n'.join('| ' + ' | '.join(cell.replace('|', '\\|').replace('\n', ' ')
                                       for cell in line) + ' |' for line in lines)


def _percent(share):
    return '-' if share is None else f'{share:.2%}' if share < 0.1 else f'{share:.0%}'
