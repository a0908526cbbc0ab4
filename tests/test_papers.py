"""configs/papers.yml: what it names exists, takes its options, and has the settings it states."""
import json
import re
import shlex
import sys
from pathlib import Path

import paper_runs
import pytest
from mmengine.registry import init_default_scope
from paper_settings import describe
from tiny_run import ROOT, load_script

from mmseg_wss.ops.crf_presets import CRF_PRESETS

PAGE = load_script('docs/render_papers.py')
FACTS = PAGE.load_facts()
ROWS = PAGE.rows_of(FACTS)
VARIANTS = [row for paper in FACTS['papers'] for row in paper.get('variants', [])]
CELLS = list(dict.fromkeys(
    row[key] for row in [*ROWS, *VARIANTS] for key in ('config', 'msrc') if key in row))
CONFIGS = sorted(FACTS['settings'])


def option_of(name):
    """Pattern of the option that a short name is one of, what it stands for, and its value."""
    for short, options in FACTS['options'].items():
        match = re.fullmatch(re.sub(r'<\w+>', '(.+)', re.escape(short)), name)
        if match:
            return short, [re.sub(r'<\w+>', match.group(match.lastindex or 0), option)
                           for option in options.split()]
    raise AssertionError(f'{name} is not among the options')


def options_of(cell):
    return [name for name in cell.split(', ') if not name.endswith('.py')]


def long_options(cell):
    return [long for name in options_of(cell) for long in option_of(name)[1]]


def path_of(config):
    return ROOT / ('configs/msrc' if config.endswith('_msrc.py') else 'configs/wss') / config


@pytest.fixture(scope='module')
def settings_of():
    """The settings of a cell: CONFIG, OPTION, ..."""
    cache, models = {}, {}
    init_default_scope('mmseg')

    def look_up(cell):
        if cell not in cache:
            cache[cell] = describe(path_of(cell.split(', ')[0]), long_options(cell), models)
        return cache[cell]
    return look_up


def test_pages_are_what_the_script_renders():
    for page, text in PAGE.render_all().items():
        assert (ROOT / page).read_text() == text, f'{page}: run python docs/render_papers.py'


def test_the_number_of_rows():
    """Rows of the papers, those with a config, those with a counterpart that was run on MSRC."""
    assert len(ROWS) == 133
    assert all('config' in row for row in ROWS)
    assert sum(map(PAGE.has_figure, ROWS)) == 52


def test_every_config_that_is_named_has_settings():
    names = re.findall(r'(?<![/\w])\w+_(?:voc|coco|msrc)\w*\.py', json.dumps(FACTS))
    assert set(names) <= {*CONFIGS, *(Path(name).name for name in FACTS['pipelines'])}


@pytest.mark.parametrize('cell', CELLS)
def test_what_the_options_of_a_row_change(settings_of, cell):
    before, after = settings_of(cell.split(', ')[0]), settings_of(cell)
    changes = [value for name, value in after.items() if before.get(name) != value]
    assert '; '.join(changes) == FACTS['changes'].get(cell, '')


def test_changes_are_those_of_rows():
    assert set(FACTS['changes']) <= set(CELLS)


@pytest.mark.parametrize('config', CONFIGS)
def test_the_settings_are_those_of_the_config(settings_of, config):
    assert settings_of(config) == FACTS['settings'][config]


def test_the_settings_of_the_pipelines(settings_of):
    assert FACTS['pipelines'] == {name: settings_of(name) for name in FACTS['pipelines']}


@pytest.fixture(scope='module', autouse=True)
def scope():
    init_default_scope('mmseg')


@pytest.mark.parametrize('config', FACTS['rates'])
def test_the_rates_of_the_schedules(config):
    assert paper_runs.rates_of(path_of(config)) == FACTS['rates'][config]


@pytest.mark.parametrize('config', FACTS['sizes'])
def test_the_sizes_of_images(config):
    stated = dict(FACTS['sizes'][config])
    reason = stated.pop('why', '')
    assert paper_runs.sizes_of(path_of(config)) == stated
    low, high = widths(stated['training'])
    outside = [width for key in ('test', 'tta') for width in widths(stated[key])
               if not low <= width <= high]
    assert bool(outside) == bool(reason), f'tested at widths {outside}, trained at {low} to {high}'


def widths(text):
    """(smallest, largest) of '250x188 to 1000x750'."""
    found = [int(size.split('x')[0]) for size in text.split(' to ')]
    return found[0], found[-1]


def cells_of(paper, *numbers):
    """Configs of the rows of some tables; those without a sampler of epochs are not theirs."""
    (tables, ) = (one['tables'] for one in FACTS['papers'] if one['name'] == paper)
    return [row['config'] for table in tables for number in numbers for row in table['rows']
            if table['title'].startswith(f'Table {number}') and 'dsrg' not in row['config']]


def test_the_epochs_are_those_of_the_tables():
    cells = [*cells_of('Dual-branch', '2', '4', '6'), *cells_of('Mixed dual head', *'1457')]
    assert list(FACTS['epochs']) == list(dict.fromkeys(cells))


@pytest.mark.parametrize('cell', FACTS['epochs'])
def test_images_of_an_epoch(cell):
    found = paper_runs.epoch_of(path_of(cell.split(', ')[0]), long_options(cell))
    assert found == FACTS['epochs'][cell]


def test_the_presets_of_the_crf():
    for name, stated in FACTS['crf'].items():
        preset = {'normalization': 'symmetric', **CRF_PRESETS[name]}
        assert stated == {key: str(preset[key]) for key in stated}
    used = {name for flags in flags_of_test() for name in re.findall(r'--crf (\w+)', flags)}
    assert used <= set(FACTS['crf'])


def test_every_option_is_used():
    used = {option_of(name)[0] for cell in CELLS for name in options_of(cell)}
    assert used == set(FACTS['options'])


def flags_of_test():
    flags = {row['flag'].partition(' ')[2] for row in VARIANTS
             if row.get('flag', '').startswith('tools/test.py')}
    return flags | {part['test'] for paper in FACTS['papers'] for table in paper['tables']
                    for part in (table, *table['rows']) if 'test' in part}


def test_the_evaluation_knows_its_flags(monkeypatch):
    tool = load_script('tools/test.py')
    flags = flags_of_test()
    assert len(flags) > 4
    for flag in flags:
        monkeypatch.setattr(sys, 'argv', ['test.py', 'CONFIG', 'CKPT', *shlex.split(flag)])
        tool.parse_args()
        for config in re.findall(r'\S+\.py', flag):
            assert (ROOT / config).is_file()


def test_proposals_know_their_flags(monkeypatch):
    tool = load_script('tools/generate_proposals.py')
    flags = [row['flag'] for row in VARIANTS if 'generate_proposals' in row.get('flag', '')]
    assert flags
    for flag in flags:
        monkeypatch.setattr(sys, 'argv', [
            'generate_proposals.py', str(ROOT), '--ann-file', 'LIST', '--out', 'DIR',
            *shlex.split(flag)[1:]])
        assert tool.parse_args().options


def test_figures_of_msrc_are_in_the_results():
    results = (ROOT / 'docs/results.md').read_text()
    for row in filter(PAGE.has_figure, ROWS):
        figure = row['miou'].split()[0]
        assert figure in results, f'{row["msrc"]}: no {figure} in docs/results.md'
