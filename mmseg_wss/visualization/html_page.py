"""A report as one HTML file, which needs no other file and no network."""
from base64 import b64encode
from html import escape
from pathlib import Path

from prettytable import PrettyTable

from mmseg_wss.utils.fileio import atomic_path

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 2em; color: #111; background: #fff }}
table {{ border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto }}
th, td {{ border: 1px solid #bbb; padding: .25em .6em; text-align: right }}
th {{ background: #eee }}
th:first-child, td:first-child {{ text-align: left }}
img {{ max-width: 100% }}
p {{ white-space: pre-line; max-width: 60em }}
</style>
</head>
<body>
<h1>{title}</h1>
"""


def write_page(path, title, sections):
    """Write an HTML page of tables, pictures and texts; it appears only when it is complete.

    Args:
        path (str | Path): the file.
        title (str): of the page. Titles, texts and cells are shown as they are: they may come from
            files, and nothing of them is read as HTML.
        sections (Iterable[tuple]): a heading, and below it a PrettyTable, the Path of a PNG, which
            is copied into the page, a str, or a list of these.
    """
    parts = [_HEAD.format(title=escape(title))]
    for heading, content in sections:
        parts.append(f'<h2>{escape(heading)}</h2>\n{_html(heading, content)}\n')
    with atomic_path(path) as temporary:
        temporary.write_text(''.join([*parts, '</body>\n</html>\n']), encoding='utf-8')


def _html(heading, content):
    if isinstance(content, list):
        return '\n'.join(_html(heading, part) for part in content)
    if isinstance(content, PrettyTable):
        return content.get_html_string()
    if isinstance(content, Path):
        data = b64encode(content.read_bytes()).decode()
        return f'<img alt="{escape(heading)}" src="data:image/png;base64,{data}">'
    return f'<p>{escape(content)}</p>'
