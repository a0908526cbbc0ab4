"""Pages that stand alone, read by a parser that is not ours."""
from base64 import b64decode
from html.parser import HTMLParser

from prettytable import PrettyTable

from mmseg_wss.visualization.html_page import write_page


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.sources, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [value for name, value in attributes if name in ('src', 'href', 'srcset')]

    def handle_data(self, data):
        self.texts.append(data.strip())


def test_a_page_has_all_in_it_and_runs_nothing_of_what_it_shows(tmp_path):
    pictures = [tmp_path / 'a.png', tmp_path / 'b.png']
    for number, picture in enumerate(pictures):
        picture.write_bytes(b'\x89PNG' + bytes([number]) * 300)
    table = PrettyTable(['class', 'IoU'])
    table.add_row(['<script>x()</script>', '41.50'])
    write_page(tmp_path / 'new/page.html', 'Über & <b>', [
        ('Table', table), ('"First" <i>', pictures[0]), ('Second', pictures[1]), ('Text', 'a < b')])
    text = (tmp_path / 'new/page.html').read_text('utf-8')
    page = Reader()
    page.feed(text)
    assert [b64decode(source.removeprefix('data:image/png;base64,')) for source in page.sources] \
        == [picture.read_bytes() for picture in pictures]
    assert not {'script', 'link', 'b', 'i'} & set(page.tags) and 'url(' not in text
    assert set(page.texts) >= {
        'Über & <b>', '<script>x()</script>', '41.50', '"First" <i>', 'a < b'}
    assert page.tags.count('img') == 2 and page.tags.count('table') == 1
