"""Markdown as plan.md has it, for a page."""
from prettytable import PrettyTable

from mmseg_wss.visualization.markdown import markdown_sections

TEXT = """# Title

Left out.

```bash
## no heading
```

## Found

| what | found |
| --- | --- |
| a \\| b | 3 |
| empty |  |

A `word` below.

## Doubts

- one
- two
"""


def test_tables_and_texts_below_their_headings():
    (found, (table, text)), (doubts, rest) = markdown_sections(TEXT)
    assert (found, doubts) == ('Found', 'Doubts')
    assert isinstance(table, PrettyTable) and table.field_names == ['what', 'found']
    assert table.rows == [['a | b', '3'], ['empty', '']]
    assert text == 'A word below.' and rest == ['- one\n- two']
    assert markdown_sections('') == []
