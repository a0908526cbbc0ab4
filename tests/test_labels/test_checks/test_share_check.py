import re

import pytest

from mmseg_wss.labels.checks.share_check import share_table, share_warnings
from mmseg_wss.labels.facts import LabelFacts


def masks(*pixels, **kwargs):
    return [LabelFacts(f'{number}.png', frozenset(), counts, **kwargs)
            for number, counts in enumerate(pixels)]


GOOD, VOID, EMPTY = {0: 6, 1: 4}, {255: 10}, {0: 10}


@pytest.mark.parametrize('facts, options, said', [
    (masks(GOOD, GOOD), {}, []),
    ([LabelFacts('a.jpg', frozenset(['cat']))], {}, []),  # tags
    ([], {}, []),
    (masks(VOID, VOID), {}, ['2 of 2 masks are 255']),
    (masks(GOOD, VOID, GOOD), {}, ['1 of 3 masks are 255 .* 1.png']),
    (masks({0: 8, 1: 1, 255: 991}), {}, ['only 0.90% of the pixels are labelled']),
    (masks({0: 9, 1: 1, 255: 990}), {}, []),
    (masks({1: 4, 255: 6}, {2: 3, 255: 7}), {}, ['none of 2 masks has a pixel of the background']),
    (masks({1: 4, 255: 6}), dict(is_made=True), []),  # a program may be sure of objects alone
    (masks({1: 9, 255: 991}), dict(is_partial=True), []),
    (masks(EMPTY, EMPTY), {}, ['2 of 2 masks hold no object']),
    (masks({0: 5, 255: 5}), dict(is_made=True), ['1 of 1 masks hold no object']),
    (masks(EMPTY, *[GOOD] * 4), {}, []),  # a person may say that there is none
    (masks(EMPTY, *[GOOD] * 4), dict(is_made=True), ['1 of 5 masks hold no object']),
    (masks(EMPTY, *[GOOD] * 5), dict(is_made=True), []),
    (masks(EMPTY, EMPTY, known_empty=True) + masks(GOOD), dict(is_made=True), []),
    (masks(EMPTY, EMPTY, known_empty=True), dict(is_made=True), ['2 of 2 masks hold no object']),
    ([LabelFacts('a.jpg', known_empty=True)] * 3, {}, ['none of the labels of 3 images has']),
    ([LabelFacts('a.jpg', known_empty=True)] * 9 + [LabelFacts('b.jpg')], {}, []),
    (masks(GOOD, contradicts=True) + masks(*[GOOD] * 4, contradicts=False), {},
     ['1 of 5 masks contradict']),
    (masks(GOOD, contradicts=True) + masks(*[GOOD] * 5, contradicts=False), {}, []),
    (masks(GOOD, contradicts=True) + masks(*[GOOD] * 9), {}, ['1 of 1 masks contradict'])])
def test_warnings(facts, options, said):
    found = share_warnings(facts, **options)
    assert len(found) == len(said)
    assert all(re.match(words, warning) for words, warning in zip(said, found))


def test_the_table():
    tags = [LabelFacts('a.jpg', frozenset(names)) for names in (['sky', 'cat'], ['sky'])]
    drawn = masks({0: 1, 1: 99_998, 255: 1}, {0: 0, 1: 99_999, 255: 1})
    assert share_table({'source 0': tags, 'val': drawn}, ['sky', 'cat', 'dog']) == [
        'class          source 0     val',
        '% of             images  pixels',
        '0 sky            100.00   <0.01',
        '1 cat             50.00  100.00',
        '2 dog                 -       -',
        '255 (ignored)         -   <0.01']
