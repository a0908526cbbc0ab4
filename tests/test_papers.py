"""configs/papers.yml: what it names exists, takes its options, and has the settings it states."""
import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope
from paper_settings import describe
from tiny_run import ROOT, load_script

from mmseg_wss.ops.crf_presets import CRF_PRESETS

PAGE = load_script('docs/render_papers.py')
FACTS = PAGE.load_facts()
ROWS = PAGE.rows_of(FACTS)
CELLS = list(dict.fromkeys(row[key] for row in ROWS for key in ('config', 'msrc') if key in row))
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


def path_of(config):
    return ROOT / ('configs/msrc' if config.endswith('_msrc.py') else 'configs/wss') / config


@pytest.fixture(scope='module')
def settings_of():
    """The settings of a cell: CONFIG, OPTION, ..."""
    cache, models = {}, {}
    init_default_scope('mmseg')

    def look_up(cell):
        if cell not in cache:
            options = [long for name in options_of(cell) for long in option_of(name)[1]]
            cache[cell] = describe(path_of(cell.split(', ')[0]), options, models)
        return cache[cell]
    return look_up


def test_pages_are_what_the_script_renders():
    for page, text in PAGE.render_all().items():
        assert (ROOT / page).read_text() == text, f'{page}: run python docs/render_papers.py'


def test_the_number_of_rows():
    """Rows of the papers, those with a config, those with a counterpart that was run on MSRC."""
    assert len(ROWS) == 133
    assert sum('config' in row for row in ROWS) == 131
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
    return {part['test'] for paper in FACTS['papers'] for table in paper['tables']
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


def test_figures_of_msrc_are_in_the_results():
    results = (ROOT / 'docs/results.md').read_text()
    for row in filter(PAGE.has_figure, ROWS):
        figure = row['miou'].split()[0]
        assert figure in results, f'{row["msrc"]}: no {figure} in docs/results.md'
