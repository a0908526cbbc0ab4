"""docs/papers.md: what it names exists, takes its options and builds, with the settings it states.

``python tests/paper_settings.py CONFIG ...`` prints lines for its settings.
"""
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mmseg_wss.ops.crf_presets import CRF_PRESETS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / 'docs/papers.md').read_text()


# ---- the page

def read_tables(page):
    """Tables of the page, each a list of rows, a row a dict: heading of the column -> cell."""
    for block in re.findall(r'(?:^\|.*\n)+', page, re.M):
        header, _, *rows = [[cell.strip() for cell in line.strip().strip('|').split('|')]
                            for line in block.splitlines()]
        assert all(len(row) == len(header) for row in rows), f'{header}: rows of other lengths'
        yield [dict(zip(header, row)) for row in rows]


TABLES = list(read_tables(PAGE))
SHORT = {row['option'].strip('`'): row['--cfg-options'].strip('`').split()
         for table in TABLES if 'option' in table[0] for row in table}
ROWS = [row for table in TABLES if 'paper' in table[0] for row in table]
STATED = {row.pop('config').strip('`'): [*row.values()]
          for table in TABLES if 'schedule' in table[0] for row in table}
CHANGED = {row['config with options']: row['what changes']
           for table in TABLES if 'what changes' in table[0] for row in table}
PIPELINES = [row for table in TABLES if 'pipeline' in table[0] for row in table]
PRESETS = {row['CRF'].strip('`'): row for table in TABLES if 'CRF' in table[0] for row in table}


def long_options(name):
    """The options that a short name of the page stands for: `n=0` -> num_shared_convs=0."""
    for short, options in SHORT.items():
        match = re.fullmatch(re.sub(r'<\w+>', '(.+)', re.escape(short)), name)
        if match:
            return [re.sub(r'<\w+>', match.group(1) if match.groups() else '', option)
                    for option in options]
    raise AssertionError(f'{name} is not in the table of options')


def job_of(cell):
    """Config and options of a cell, both None where it names no config."""
    names = re.findall(r'`([^`]+)`', cell)
    configs = [name for name in names if name.endswith('.py')]
    options = [long for name in names if name not in configs for long in long_options(name)]
    assert configs or not options
    return (configs[0], options) if configs else (None, None)


def path_of(config):
    folder = 'configs/msrc' if config.endswith('_msrc.py') else 'configs/wss'
    return f'{folder}/{config}'


def key_of(cell):
    """`CONFIG` `OPTION` ... of a cell, without what stands around it."""
    return ' '.join(f'`{name}`' for name in re.findall(r'`([^`]+)`', cell))


JOBS = [job_of(row[column]) for row in ROWS for column in ('config', 'MSRC')]
JOBS = [json.loads(text) for text in dict.fromkeys(json.dumps(job) for job in JOBS if job[0])]
CONFIGS = sorted({*re.findall(r'`(?:configs/(?:wss|msrc)/)?(\w+\.py)`', PAGE), *STATED})


@pytest.fixture(scope='module')
def described():
    """(config, options as JSON) -> cells of its settings, or what went wrong."""
    jobs = [*([name, []] for name in CONFIGS), *JOBS,
            *([row['pipeline'].strip('`'), []] for row in PIPELINES)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    process = subprocess.run(
        [sys.executable, ROOT / 'tests/paper_settings.py'], text=True,
        input=json.dumps([[str(ROOT / path_of(config)), options] for config, options in jobs]),
        capture_output=True, env=dict(os.environ, PYTHONPATH=paths, OMP_NUM_THREADS='1'))
    assert 'RESULTS' in process.stdout, process.stderr[-4000:]
    results = json.loads(process.stdout.split('RESULTS')[1])
    return {(config, json.dumps(options)): result for (config, options), result in
            zip(jobs, results)}


# ---- the tests

@pytest.mark.parametrize('config', CONFIGS)
def test_the_config_exists(config):
    assert (ROOT / path_of(config)).is_file(), f'docs/papers.md names {path_of(config)}'


@pytest.mark.parametrize('config, options', JOBS, ids=lambda part: ' '.join(part)
                         if isinstance(part, list) else part)
def test_the_row_takes_its_options_and_builds(described, config, options):
    result = described[config, json.dumps(options)]
    assert isinstance(result, list), result


@pytest.mark.parametrize('config', CONFIGS)
def test_the_settings_are_those_of_the_config(described, config):
    assert config in STATED, f'docs/papers.md states no settings of {config}'
    assert STATED[config] == described[config, '[]']


def changed_cells(described):
    """Config with options, as rows name it -> what the options change of the config's settings."""
    for cell in dict.fromkeys(key_of(row[column]) for row in ROWS for column in ('config', 'MSRC')):
        config, options = job_of(cell)
        if options:
            before, after = (described[config, json.dumps(one)] for one in ([], options))
            yield cell, '; '.join(new for old, new in zip(before, after) if new != old)


def test_what_options_change(described):
    changes = {cell: text for cell, text in changed_cells(described) if text}
    assert CHANGED == changes


def test_the_presets_of_the_crf():
    numbers = {name: [str(row[key]) for key in (
        'compat_bilateral', 'sxy_bilateral', 'srgb', 'compat_gaussian', 'sxy_gaussian',
        'iterations')] + [row.get('normalization', 'symmetric')]
        for name, row in CRF_PRESETS.items()}
    stated = {name: [*row.values()][1:] for name, row in PRESETS.items()}
    assert stated == {name: numbers[name] for name in stated}
    used = {name for row in ROWS for name in re.findall(r'--crf (\w+)', row['test'])}
    assert used <= set(stated)


def test_the_settings_of_the_pipelines(described):
    assert PIPELINES
    for row in PIPELINES:
        name, *stated = row.values()
        assert stated == described[name.strip('`'), '[]']


def test_every_option_is_used():
    used = {name for row in ROWS for column in ('config', 'MSRC')
            for name in re.findall(r'`([^`]+)`', row[column]) if not name.endswith('.py')}
    for short in SHORT:
        assert any(re.fullmatch(re.sub(r'<\w+>', '.+', re.escape(short)), name)
                   for name in used), f'no row has {short}'


def test_the_evaluation_knows_its_flags(monkeypatch):
    spec = importlib.util.spec_from_file_location('tools_test', ROOT / 'tools/test.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    flags = {row['test'].strip('`') for row in ROWS}
    assert len(flags) > 4
    for flag in flags:
        monkeypatch.setattr(sys, 'argv', ['test.py', 'CONFIG', 'CKPT', *shlex.split(flag)])
        tool.parse_args()
        for config in re.findall(r'\S+\.py', flag):
            assert (ROOT / config).is_file()


def test_figures_of_msrc_are_in_the_results():
    results = (ROOT / 'docs/results.md').read_text()
    for row in ROWS:
        for figure in figures(row):
            assert figure in results, f'{row["MSRC"]}: no {figure} in docs/results.md'


def figures(row):
    return re.findall(r'(?<![\w.])\d\d\.\d+', re.sub('`[^`]*`', '', row['MSRC']))


def test_counts_of_rows():
    """The line that the page begins with: rows mapped, with a config, run."""
    counts = re.search(r'\*\*(\d+) rows, of which (\d+) have a config.* and (\d+) .*MSRC', PAGE)
    assert list(map(int, counts.groups())) == [
        len(ROWS), sum('.py`' in row['config'] for row in ROWS), sum(map(bool, map(figures, ROWS)))]
