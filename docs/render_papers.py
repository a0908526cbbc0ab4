"""Writes docs/papers.md from configs/papers.yml: ``python docs/render_papers.py``."""
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
INTRO = """\
# Which config is which row of a paper?

**{mapped} rows, of which {with_config} have a config here, and {run} have a counterpart that was \
run on MSRC.**

Nothing was run on PASCAL VOC or COCO, and nothing on a GPU: the column *paper* is what the papers
report, val mIoU in percent where nothing else is said. What could be run here is a smaller
counterpart on MSRC, in the last column with its val mIoU ([results.md](results.md) has the
details); a figure there says something about the order of methods, nothing about the paper's level.

How to read a row:

- *config* is a file of `configs/wss/`, that of MSRC one of `configs/msrc/`. Options behind it are
  short names: [Options](#options) says what to write behind `--cfg-options`.
- *test* is what `tools/test.py CONFIG CHECKPOINT` gets for this row; an empty cell is a single
  scale without CRF. Several rows may share one training.
- "test" beside a figure means VOC's test set, whose masks are not public: the config trains the
  network, but only VOC's server could evaluate it.
- Rows of other people's methods, which the papers copied, are named below the table and not
  counted.

`docs/render_papers.py` writes this page from `configs/papers.yml`; change that file.
`tests/test_papers.py` reads it too: each config exists and builds with the options of its row, and
has the [settings](#settings) that are stated below.
"""
OPTIONS = """\
The lists are those of `tools/dataset_converters/make_splits.py`
([full_size_data.md](full_size_data.md)): `--strong 83 166 200 374 500 750 1000` and `--per-class 5 10 25` from VOC's
train; the 5,000 with `--ann-file aug.txt --strong 5000 --random --name aug`.
"""
SETTINGS = """\
What the configs have, behind all their bases, and what a model built from them has.
*Data*: what is known of each source's images, their list, and the folder of masks that a tool
made. *Images per step*: of each source, on one GPU unless several are named. *Optimiser*: learning
rates of weights and biases, smallest first. *Schedule*: epochs or steps, what the rate is multiplied by and
when. *Method*: options of the head that are not off or 0; tau is below.
"""
COLUMNS = {'data': 'data', 'images': 'images per step', 'optimiser': 'optimiser',
           'schedule': 'schedule', 'crop': 'crop', 'method': 'method'}
CRF_COLUMNS = {
    'compat_bilateral': 'weight', 'sxy_bilateral': 'sigma xy', 'srgb': 'sigma rgb',
    'compat_gaussian': 'smoothness: weight', 'sxy_gaussian': 'sigma xy of it',
    'iterations': 'iterations', 'normalization': 'normalisation'}


def load_facts():
    """configs/papers.yml, all of whose values are text."""
    text = (ROOT / 'configs/papers.yml').read_text()
    return yaml.load(text, Loader=yaml.BaseLoader)  # BaseLoader: 62.0 keeps its zero


def rows_of(facts):
    return [row for paper in facts['papers'] for table in paper['tables'] for row in table['rows']]


def has_figure(row):
    """Whether the row's counterpart was run on MSRC: "not run" is no figure."""
    return row.get('miou', '')[:1].isdigit()


def quote(job):
    """'CONFIG, OPTION, after CONFIG' -> '`CONFIG` `OPTION` after `CONFIG`'."""
    return ' '.join(re.sub(r'^(after |with )?(.+)', r'\1`\2`', part) for part in job.split(', '))


def quote_files(text):
    return re.sub(r'[\w/]+\.py', r'`\g<0>`', text)


def table_of(header, rows):
    def line(cells):
        return '| ' + ' '.join(f'{cell} |' if cell else '|' for cell in cells) + '\n'
    return line(header) + '|' + '---|' * len(header) + '\n' + ''.join(map(line, rows))


def render_row(table, row):
    if 'config' not in row:
        return [row['row'], row['paper'], 'none', '', '']
    test = row.get('test', table.get('test', ''))
    msrc = f'{quote(row["msrc"])} {row["miou"]}' if 'msrc' in row else ''
    return [row['row'], row['paper'], quote(row['config']), test and f'`{test}`', msrc]


def render_paper(paper):
    yield f'## {paper["name"]}\n'
    yield paper['source']
    for table in paper['tables']:
        yield f'### {table["title"]}\n'
        if 'intro' in table:
            yield table['intro']
        yield table_of(['row', 'paper', 'config', 'test', 'MSRC'],
                       [render_row(table, row) for row in table['rows']])
        if 'note' in table:
            yield table['note']
    yield '### What differs, and why\n'
    yield paper['differs']


def render_settings(facts):
    def table(configs):
        return table_of(['config', *COLUMNS.values()], [
            [f'`{name}`', *(facts['settings'][name].get(key, '') for key in COLUMNS)]
            for name in configs])

    yield '## Settings\n'
    yield SETTINGS
    msrc = [name for name in facts['settings'] if name.endswith('_msrc.py')]
    yield table([name for name in facts['settings'] if name not in msrc])
    yield 'On MSRC:\n'
    yield table(msrc)
    yield 'What the options of rows change of these:\n'
    yield table_of(['config with options', 'what changes'],
                   [[quote(job), quote_files(change)] for job, change in facts['changes'].items()])
    yield 'The stages of pipelines:\n'
    stages = list(next(iter(facts['pipelines'].values())))
    yield table_of(['pipeline', *stages], [
        [f'`{name}`', *(quote_files(row[stage]) for stage in stages)]
        for name, row in facts['pipelines'].items()])
    yield '`--crf` of the evaluation ([crf_presets.py](../mmseg_wss/ops/crf_presets.py)):\n'
    yield table_of(['CRF', *CRF_COLUMNS.values()], [
        [f'`{name}`', *(row[key] for key in CRF_COLUMNS)] for name, row in facts['crf'].items()])


def render_papers(facts):
    """The text of docs/papers.md."""
    rows = rows_of(facts)
    blocks = [INTRO.format(mapped=len(rows), with_config=sum('config' in row for row in rows),
                           run=sum(map(has_figure, rows)))]
    for paper in facts['papers']:
        blocks += render_paper(paper)
    blocks += ['## Options\n', table_of(
        ['option', '--cfg-options'],
        [[f'`{name}`', f'`{options}`'] for name, options in facts['options'].items()]), OPTIONS]
    return '\n'.join([*blocks, *render_settings(facts)])


if __name__ == '__main__':
    (ROOT / 'docs/papers.md').write_text(render_papers(load_facts()))
