"""The parts of a Markdown text that this project writes: headings, tables and paragraphs."""
import re

from prettytable import PrettyTable

_CELLS = re.compile(r'(?<!\\)\|')


def markdown_sections(text):
    """The sections below headings of the second level, for `write_page`.

    Args:
        text (str): what is above the first of these headings is left out, and code is, too.

    Returns:
        list[tuple]: a heading, and its tables (PrettyTable) and other texts, a list.
    """
    sections = []
    for part in re.split(r'^## ', re.sub(r'^```.*?^```$', '', text, flags=re.M | re.S),
                         flags=re.M)[1:]:
        heading, _, body = part.partition('\n')
        blocks = [block.strip() for block in body.split('\n\n') if block.strip()]
        sections.append((heading.strip(), [_content(block) for block in blocks]))
    return sections


def _content(block):
    lines = block.splitlines()
    if not all(line.startswith('|') and line.endswith('|') for line in lines) or len(lines) < 2:
        return block.replace('`', '')
    rows = [[cell.strip().replace('\\|', '|') for cell in _CELLS.split(line)[1:-1]]
            for line in (lines[0], *lines[2:])]
    table = PrettyTable(rows[0])
    table.add_rows(rows[1:])
    return table
