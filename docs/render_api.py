"""Writes docs/api.md from the registries, the docstrings and the tools.

``python docs/render_api.py`` after a change of a public name, or of the first sentence about it.
"""
import importlib
import inspect
import re
from pathlib import Path

from mmengine.registry import Registry

import mmseg_wss.registry
from mmseg_wss.__main__ import find_tools, summary

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs/api.md'
INTRO = """\
# Which names may I use?

In a config, write `type='mmseg_wss.NAME'`; nothing has to be imported. In Python, import what is
listed under [Functions and base classes](#functions-and-base-classes). The options of each are in
the docstring, in the file that its name leads to.

What is not on this page may change without notice. What is on it stays, or
[CHANGELOG.md](../CHANGELOG.md) says what to write instead. `docs/render_api.py` writes this page.
"""
SECTIONS = {  # title -> where its classes are registered
    'Data sets': 'mmseg_wss.datasets',
    'Sampler': 'mmseg_wss.datasets.samplers',
    'Transforms': 'mmseg_wss.datasets.transforms',
    'Heads': 'mmseg_wss.models.decode_heads',
    'Losses': 'mmseg_wss.models.losses',
    'Segmentors': 'mmseg_wss.models.segmentors',
    'Data preprocessor': 'mmseg_wss.models.data_preprocessors',
    'Backbones and their weights': 'mmseg_wss.models.backbones',
    'Neck': 'mmseg_wss.models.necks',
    'Hooks': 'mmseg_wss.engine.hooks',
    'Parameter scheduler': 'mmseg_wss.engine.schedulers',
    'Metrics, writers of predictions, evaluator': 'mmseg_wss.evaluation',
    'Visualizer': 'mmseg_wss.visualization',
}
IMPORTS = (  # in the order of the page; tests/test_public_api.py has their signatures
    'mmseg_wss.ops.bilateral_filter', 'mmseg_wss.ops.dense_crf',
    'mmseg_wss.pseudo_labels.reliable_labels', 'mmseg_wss.datasets.transforms.box_priors',
    'mmseg_wss.datasets.WeakSegDataset', 'mmseg_wss.models.decode_heads.TwoBranchHead')
COMMANDS = """\
## Commands

`python -m mmseg_wss TOOL [OPTIONS]`, from any folder; `--help` says which options a tool has. In a
clone, the files of `tools/` are the same. [README.md](../README.md#tools) has the usual options.
"""


def first_sentence(thing):
    """The first sentence of a docstring, as Markdown."""
    text = ' '.join((inspect.getdoc(thing) or '').partition('\n\n')[0].split())
    sentence = re.match(r'.+?[.:](?= [A-Z`]|$)', text)
    if sentence is None:
        raise ValueError(f'{thing.__module__}.{thing.__qualname__}: expected a docstring that '
                         'begins with a sentence.')
    return markdown(sentence.group())


def markdown(text):
    """A docstring's text as the cell of a table."""
    return text.replace('``', '`').replace('|', '\\|')


def link(name, thing):
    """The name, with a link to the file."""
    path = Path(inspect.getsourcefile(thing)).resolve().relative_to(ROOT)
    return f'[`{name}`](../{path.as_posix()})'


def registered():
    """All classes of the scope ``mmseg_wss``, sorted by their names."""
    found = {}
    for node in vars(mmseg_wss.registry).values():
        if isinstance(node, Registry) and node.scope == 'mmseg_wss':
            node.import_from_location()
            found.update(node.module_dict)
    return {name: found[name] for name in sorted(found, key=str.casefold)
            if found[name].__module__.startswith('mmseg_wss.')}


def section_of(thing):
    """The title of the section with the longest name of a package that `thing` is in."""
    titles = [title for title, package in SECTIONS.items()
              if thing.__module__.startswith(f'{package}.')]
    if not titles:
        raise ValueError(f'{thing.__module__}: no package of SECTIONS; add it.')
    return max(titles, key=lambda title: len(SECTIONS[title]))


def table(header, rows):
    return '\n'.join([f'| {" | ".join(header)} |', '|---' * len(header) + '|',
                      *(f'| {" | ".join(row)} |' for row in rows)]) + '\n'


def render_classes(classes):
    for title in SECTIONS:
        yield f'## {title}\n'
        yield table(['NAME', 'what it is or does'], [
            [link(name, thing), first_sentence(thing)]
            for name, thing in classes.items() if section_of(thing) == title])


def render_imports():
    yield '## Functions and base classes\n'
    rows = []
    for path in IMPORTS:
        module, _, name = path.rpartition('.')
        thing = getattr(importlib.import_module(module), name)
        arguments = f'`{name}{inspect.signature(thing)}`' if inspect.isfunction(thing) else \
            'to be subclassed'
        rows.append([link(path, thing), first_sentence(thing), arguments])
    yield table(['import', 'what it is or does', 'arguments'], rows)


def render_commands():
    yield COMMANDS
    yield table(['TOOL', 'what it does'], [
        [f'[`{name}`](../{path.resolve().relative_to(ROOT).as_posix()})', markdown(summary(path))]
        for name, path in find_tools().items()])


def render():
    """The text of docs/api.md."""
    return '\n'.join([INTRO, *render_classes(registered()), *render_imports(), *render_commands()])


if __name__ == '__main__':
    PAGE.write_text(render(), encoding='utf-8')
