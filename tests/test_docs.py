"""The documents: messages that exist, an API page that is true, a version, pages that are found."""
import ast
import inspect
import re
from pathlib import Path

import pytest
import test_public_api
from tiny_run import load_script

from mmseg_wss.version import __version__

ROOT = Path(__file__).resolve().parents[1]
TROUBLE = ROOT / 'docs/troubleshooting.md'
API = load_script('docs/render_api.py')


# ---- docs/troubleshooting.md

def literals(source):
    """The texts that a source holds, with \\0 in the place of what an f-string fills in."""
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
              for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield ''.join(part.value if isinstance(part, ast.Constant) else '\0'
                          for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) \
                and id(node) not in inside:
            yield node.value


def pattern_of(message):
    """What a quoted message matches: '...' stands for anything."""
    return re.compile('.*'.join(map(re.escape, message.split('...'))), re.DOTALL)


def entries(page):
    """(who says it, its messages, why, what to do) of each row of the page's tables."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if line.startswith('| ') and cells[0] != 'message':
            speaker = re.match(r'(\w+): `', cells[0])
            yield speaker and speaker.group(1), re.findall('`(.+?)`', cells[0]), *cells[1:]


@pytest.fixture(scope='module')
def texts():
    return [text for folder in ('mmseg_wss', 'tools') for path in (ROOT / folder).rglob('*.py')
            if '.mim' not in path.parts for text in literals(path.read_text(encoding='utf-8'))]


def test_a_message_is_found_across_what_is_filled_in():
    code = "f'{path}: has {n} of ' f'{m} masks, ' 'and none'"
    text, = literals(code)
    assert pattern_of('has ... of ... masks, and none').search(text)
    assert not pattern_of('has 3 of').search(text)
    assert not pattern_of('masks ... has').search(text)


def test_messages_of_the_troubleshooting_page_are_in_the_code(texts):
    own = [message for speaker, messages, *_ in entries(TROUBLE.read_text()) if not speaker
           for message in messages]
    assert len(own) > 40
    assert all(max(map(len, message.split('...'))) >= 8 for message in own)
    assert not [message for message in own
                if not any(map(pattern_of(message).search, texts))]


def test_each_message_has_a_cause_and_a_remedy():
    rows = [*entries(TROUBLE.read_text())]
    assert len(rows) > 50
    assert all(len(row) == 4 and row[3] for row in rows)
    others = {speaker for speaker, *_ in rows if speaker}
    assert others == {'Python', 'mmcv', 'torch', 'NumPy', 'mmpretrain', 'mmseg', 'mmengine'}


# ---- docs/api.md

def test_the_api_page_is_what_the_script_renders():
    assert API.PAGE.read_text(encoding='utf-8') == API.render(), 'run python docs/render_api.py'


def test_the_api_page_has_all_frozen_names():
    page = API.PAGE.read_text(encoding='utf-8')
    mark, = (mark for mark in test_public_api.test_registered_under_our_scope.pytestmark
             if mark.name == 'parametrize')
    names = [name for _, name in mark.args[1]]
    assert len(names) > 20 and all(f'[`{name}`]' in page for name in names)
    frozen = inspect.getsource(test_public_api.test_signatures_of_functions)
    functions = set(re.findall(r'inspect\.signature\((\w+)\)', frozen))
    assert len(functions) == 4
    assert functions <= {path.rpartition('.')[2] for path in API.IMPORTS}


@pytest.mark.parametrize('text, sentence', [
    ('One. Two.', 'One.'), ('Loss (RRM, eq. 10 to 14).\n\nMore.', 'Loss (RRM, eq. 10 to 14).'),
    ("mmseg's ``X``,\nwhich is wide. `Y` not.", "mmseg's `X`, which is wide."),
    ('Either a|b.', 'Either a\\|b.')])
def test_the_first_sentence_of_a_docstring(text, sentence):
    def function():
        pass
    function.__doc__ = text
    assert API.first_sentence(function) == sentence


def test_a_docstring_without_a_sentence_is_refused():
    def function():
        pass
    with pytest.raises(ValueError, match='begins with a sentence'):
        API.first_sentence(function)


# ---- the rest

def test_the_citation_has_the_version_and_the_licence():
    citation = (ROOT / 'CITATION.cff').read_text(encoding='utf-8')
    assert re.search(r'^version: (.+)$', citation, re.M).group(1) == __version__
    licence = re.search(r'^license: (.+)$', citation, re.M).group(1)
    assert f'license = "{licence}"' in (ROOT / 'pyproject.toml').read_text()


def test_the_index_names_every_page():
    index = (ROOT / 'docs/README.md').read_text()
    pages = {path.name for path in ROOT.glob('docs/*.md')} - {'README.md'}
    assert len(pages) > 12
    assert not {page for page in pages if f']({page})' not in index}


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r'^#+ (.+)$', re.sub(r'```.*?```', '', page, flags=re.S), re.M)
    return {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles}


def test_links_to_a_part_of_a_page_lead_there():
    pages = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *ROOT.glob('docs/*.md')]
    links = [(page, *link) for page in pages
             for link in re.findall(r'\]\(([^)#:]*)#([^)]+)\)', page.read_text(encoding='utf-8'))]
    assert len(links) > 10
    assert not [(page.name, path, anchor) for page, path, anchor in links
                if anchor not in anchors(
                    ((page.parent / path) if path else page).read_text(encoding='utf-8'))]
