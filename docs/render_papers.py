"""Writes docs/papers.md and the READMEs of configs/ from configs/papers.yml.

``python docs/render_papers.py`` after a change of that file, or of a config's first comment.
"""
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
INTRO = """\
# Which config is which row of a paper?

**{mapped} rows; each has a config here, and {run} have a counterpart that was run on MSRC.**

Nothing was run on PASCAL VOC or COCO, and nothing on a GPU; `python benchmarks/dry_run.py` takes
two steps with every config, on drawn images. The column *paper* is what the papers report, val
mIoU in percent where nothing else is said. What could be run here is a smaller counterpart on MSRC,
in the last column with its val mIoU ([results.md](results.md) has the details); a figure there says
something about the order of methods, nothing about the paper's level.

How to read a row:

- *config* is a file of `configs/wss/`, that of MSRC one of `configs/msrc/`. Options behind it are
  short names: [Options](#options) says what to write behind `--cfg-options`.
- *test* is what `tools/test.py CONFIG CHECKPOINT` gets for this row; an empty cell is a single
  scale without CRF. Several rows may share one training.
- "test" beside a figure means [VOC's test set](#vocs-test-set), whose masks are not public;
  `tools/predict.py --voc-results` with the options of the row writes what its server takes.
- Rows of other people's methods, which the papers copied, are named below the table and not
  counted.

`docs/render_papers.py` writes this page from `configs/papers.yml`; change that file.
`tests/test_papers.py` reads it too: each config exists and builds with the options of its row, and
has the [settings](#settings) that are stated below.
"""
TEST_SET = """\
## VOC's test set

VOC publishes the 1,456 images of its test set (`VOC2012test.tar`, unpacked into the devkit as the
others), and its server compares predictions with the masks. These commands write the predictions of
a row, and pack them as the server takes them; `--tta` and `--crf` go with the first.

```bash
python tools/predict.py CONFIG CHECKPOINT VOC2012/ImageSets/Segmentation/test.txt \\
    --image-dir VOC2012/JPEGImages --voc-results --no-overlays --out predicted
tar czf results.tgz --exclude .lock -C predicted results
```

`comp6` is the competition for networks that have seen other data than VOC's, as those that start
from ImageNet's weights have.
"""
OPTIONS = """\
The lists are those of `tools/dataset_converters/make_splits.py`
([full_size_data.md](full_size_data.md)): `--strong 83 166 200 374 500 750 1000` and
`--per-class 5 10 25` from VOC's train; the 5,000 with
`--ann-file aug.txt --strong 5000 --random --name aug`.
"""
SETTINGS = """\
What the configs have, behind all their bases, and what a model built from them has.
*Data*: what is known of each source's images, their list, and the folder of masks that a tool
made. *Images per step*: of each source, on one GPU unless several are named. *Optimiser*: learning
rates of weights and biases, smallest first. *Schedule*: epochs or steps, what the rate is
multiplied by and when. *Method*: options of the head that are not off or 0; tau is below.
"""
RUNS = """\
### What runs have

Learning rates, from running the schedule of each family of configs; a group has that many times
the optimiser's rate. RRM's release: x1, x2, x10 and x20 of 0.01 down to 0 in the classifier's half,
then 0.0007 down to 0 for all.
"""
SIZES = """\
Sizes of images, width x height, from running the pipelines of each family on a usual file. What the
network predicts is compared with the truth at the size of the file.
"""
EPOCHS = """\
Epochs of the mixed dual head's tables 1, 4, 5, 7 and of the dual branch's 2, 4, 6, from drawing
them: images that an epoch takes, of those that the source has, on all GPUs together.
"""
README = {
    'wss': """\
# Configs of the papers, on PASCAL VOC and COCO

`NETWORK_DATA.py` with the method in front: `dsrg_vgg16_voc.py` is DSRG over VGG16 on VOC.
""",
    'msrc': """\
# Smaller counterparts on MSRC

Each trains in half an hour to an hour on one core; [results.md](../../docs/results.md) has what
they reach. If you have more time or a GPU, there are larger backbones under *Dual-branch*:
EfficientNet-Lite2 (half as large again) and DINOv2's ViT-S; any config takes them in the same way.
"""}
TABLES = """\
[papers.md](../../docs/papers.md) has the rows of the papers' tables, with options, results and
settings. `pipelines/` are files for `tools/train_pipeline.py`, which runs several configs in turn.
`docs/render_papers.py` writes this page.

`method` in a config is the name of its network in the records of masks that it makes;
`PseudoMask_METHOD` is the folder that other configs read them from. A source with
`made_by=METHOD` refuses masks of another method.
"""
COLUMNS = {'data': 'data', 'images': 'images per step', 'optimiser': 'optimiser',
           'schedule': 'schedule', 'crop': 'crop', 'method': 'method'}
SIZE_COLUMNS = {'file': 'file', 'training': 'training', 'crop': 'crop', 'test': 'test',
                'tta': '`--tta`', 'why': 'why a test has other sizes'}
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
    options = row.get('test', table.get('test', ''))
    cells = [] if row['paper'].endswith(' test') else [options and f'`{options}`']
    if 'test' in row['paper']:  # VOC's
        cells.append(f'`{"predict.py --voc-results " + options}`'.replace(' `', '`'))
    msrc = f'{quote(row["msrc"])} {row["miou"]}' if 'msrc' in row else ''
    return [row['row'], row['paper'], quote(row['config']), '; '.join(filter(None, cells)), msrc]


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
    if 'variants' in paper:
        yield 'Where there are two ways:\n'
        yield table_of(['what', 'here', 'the other way', 'how to take it'], [
            [row['what'], row['here'], row['other'],
             quote(row['config']) if 'config' in row else f'`{row["flag"]}`']
            for row in paper['variants']])


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
    yield RUNS
    yield table_of(['config', 'group', 'first', 'end of half 1', 'start of half 2', 'last'], [
        [f'`{name}`', group, *rates.split(' | ')]
        for name, groups in facts['rates'].items() for group, rates in groups.items()])
    yield SIZES
    yield table_of(['config', *SIZE_COLUMNS.values()], [
        [f'`{name}`', *(row.get(key, '') for key in SIZE_COLUMNS)]
        for name, row in facts['sizes'].items()])
    yield EPOCHS
    yield table_of(['config', 'steps of an epoch', 'images of an epoch, by source'], [
        [quote(cell), row['steps'], row['images']] for cell, row in facts['epochs'].items()])
    yield '`--crf` of the evaluation ([crf_presets.py](../mmseg_wss/ops/crf_presets.py)):\n'
    yield table_of(['CRF', *CRF_COLUMNS.values()], [
        [f'`{name}`', *(row[key] for key in CRF_COLUMNS)] for name, row in facts['crf'].items()])


def render_papers(facts):
    """The text of docs/papers.md."""
    rows = rows_of(facts)
    blocks = [INTRO.format(mapped=len(rows), run=sum(map(has_figure, rows)))]
    for paper in facts['papers']:
        blocks += render_paper(paper)
    blocks += [TEST_SET, '## Options\n', table_of(
        ['option', '--cfg-options'],
        [[f'`{name}`', f'`{options}`'] for name, options in facts['options'].items()]), OPTIONS]
    return '\n'.join([*blocks, *render_settings(facts)])


def about(path):
    """The first sentence of the comment that a config begins with."""
    comment = re.match(r'(?:# .*\n)+', path.read_text())
    if comment is None:
        raise ValueError(f'{path}: expected a first line "# What this config is"')
    text = ' '.join(line[2:] for line in comment.group().splitlines())
    return text.split('. ')[0].rstrip('.')


def method_of(facts, name):
    for method, beginnings in facts['methods'].items():
        if name.startswith(tuple(beginnings.split())):
            return method
    raise ValueError(f'{name}: no method of configs/papers.yml has a name that begins like this')


def tables_with(facts, name):
    """'WSSL, table 1, table 3; ...': where rows name a config."""
    places = []
    for paper in facts['papers']:
        titles = [table['title'].split(':')[0] for table in paper['tables'] if any(
            name in re.split(', (?:after |with )?', cell) or cell.endswith(f' {name}')
            for row in table['rows'] for cell in (row.get('config', ''), row.get('msrc', '')))]
        if titles:
            places.append(', '.join([paper['name'], *(title[0].lower() + title[1:]
                                                      for title in titles)]))
    return '; '.join(places)


def render_configs(facts, folder):
    """The text of configs/FOLDER/README.md."""
    root = ROOT / 'configs' / folder
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob('*.py'))
    methods = {name: method_of(facts, Path(name).name) for name in names}
    blocks = [README[folder], TABLES]
    for method in facts['methods']:
        rows = [[f'[{name}]({name})', about(root / name), tables_with(facts, name)]
                for name in names if methods[name] == method]
        if rows:
            blocks += [f'## {method}\n', table_of(['config', 'what it is', 'rows'], rows)]
    return '\n'.join(blocks)


def render_all():
    """Path of each rendered page, from the root, -> its text."""
    facts = load_facts()
    return {'docs/papers.md': render_papers(facts),
            **{f'configs/{folder}/README.md': render_configs(facts, folder) for folder in README}}


if __name__ == '__main__':
    for page, text in render_all().items():
        (ROOT / page).write_text(text)
