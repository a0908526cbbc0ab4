import json

import pytest
from import_bench import kinds, read

from mmseg_wss.errors import DataError


def result(kind, label='cat', size=(30, 20), **value):
    return dict(type=kind, original_width=size[0], original_height=size[1],
                value={**value, kind: [label]})


def task(image, *annotations):
    return dict(id=1, data=dict(image=image), annotations=[
        dict(result=list(results), **more) for results, more in annotations])


def test_what_results_become(tmp_path):
    """Coordinates are in percent; a box turns about its corner."""
    labels, images = read(tmp_path, ['1.jpg'], {'p.json': json.dumps([task('/x/1.jpg', ((
        result('rectanglelabels', x=10, y=20, width=50, height=25),
        result('rectanglelabels', x=50, y=50, width=20, height=10, rotation=90),
        result('polygonlabels', 'dog', points=[[10, 10], [50, 10], [50, 50]]),
        result('ellipselabels', x=50, y=50, radiusX=10, radiusY=20),
        result('keypointlabels', x=20, y=50, width=0.3),
        result('labels', 'dog', x=10, y=20, width=50, height=25),
        dict(type='choices', value=dict(choices=['bird', 'cat'])), dict(type='relation')), {}))])})
    assert not labels.faults
    found = images['1.jpg']
    assert kinds(found) == [('box', 'cat'), ('box', 'cat'), ('region', 'dog'), ('region', 'cat'),
                            ('point', 'cat'), ('box', 'dog')]
    assert found.shapes[0].data == pytest.approx((3, 4, 18, 9))
    # from (15, 10), 6 wide and 2 high: the width goes down, the height to the left
    assert found.shapes[1].data == pytest.approx((13, 10, 15, 16))
    assert found.shapes[2].data[0].tolist() == pytest.approx([3, 2, 15, 2, 15, 10])
    assert found.shapes[4].data.tolist() == [[6, 10]]
    assert found.tags == ('bird', 'cat') and found.size == (20, 30)


def test_choices_of_an_object(tmp_path):
    """They have its id and its place: attributes of an object with a label, else its class."""
    place = dict(x=10, y=20, width=50, height=25)
    cat, dog = result('rectanglelabels', **place), result('choices', 'dog', **place)
    hidden, bare = result('choices', 'hidden', **place), result('rectangle', **place)
    del bare['value']['rectangle']
    tasks = ((dict(hidden, id='a'), dict(cat, id='a')), (dict(bare, id='b'), dict(dog, id='b')),
             (dict(bare, id='c'), dict(cat, id='d')))
    labels, images = read(tmp_path, ['1.jpg', '2.jpg', '3.jpg'], {'p.json': json.dumps([
        task(f'{number}.jpg', (results, {})) for number, results in enumerate(tasks, 1)])})
    assert kinds(images['1.jpg']) == [('box', 'cat')] and not images['1.jpg'].tags
    assert kinds(images['2.jpg']) == [('box', 'dog')] and not images['2.jpg'].tags
    assert len(labels.faults) == 1 and 'result 1 is an object without a class' in labels.faults[0]


def test_names_of_uploads_and_of_local_files(tmp_path):
    names = ['a b.jpg', 'sub/ü.jpg', '0a1b2c3d-c.jpg', 'd.jpg']
    addresses = ['/data/upload/1/0a1b2c3d-a_b.jpg', '/data/local-files/?d=sub/%C3%BC.jpg',
                 '/data/upload/1/0a1b2c3d-c.jpg', 's3://bucket/d.jpg?x=1']
    labels, images = read(tmp_path, names, {
        'p.json': json.dumps([task(address, ((), {})) for address in addresses])})
    assert not labels.faults and sorted(images) == sorted(names)


def test_who_is_labelled_and_by_whom(tmp_path):
    box = (result('rectanglelabels', 'dog', x=1, y=1, width=9, height=9), )
    labels, images = read(tmp_path, ['1.jpg', '2.jpg', '3.jpg', '4.jpg'], {'p.json': json.dumps([
        task('1.jpg'), task('2.jpg', ((), {})),
        task('3.jpg', (box, dict(ground_truth=True)), ((), {})),
        task('4.jpg', ((), {}), (box, {}), ((), dict(was_cancelled=True)))])})
    assert [images[f'{i}.jpg'].is_labelled for i in (1, 2, 3, 4)] == [False, True, True, True]
    assert [len(images[f'{i}.jpg'].shapes) for i in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert '2 task(s) have more than one' in labels.notes[0]


def test_what_is_wrong_is_named(tmp_path):
    labels, images = read(tmp_path, ['1.jpg', '2.jpg'], {'p.json': json.dumps([
        task('1.jpg', ((result('polygonlabels', points=[[1, 1], [2, 'x'], [3, 3]]),
                        result('brushlabels', rle=[1, 2]), result('keypointlabels', size=(3, 'a')),
                        result('rectanglelabels', x=1, y=1, width=1)), {})),
        task('2.jpg', ((result('keypointlabels', x=1, y=1),
                        result('keypointlabels', x=1, y=1, size=(31, 20))), {})),
        task('text', ((), {}))])})
    assert not images and len(labels.faults) == 3
    one, sizes, text = labels.faults
    assert all(f'result {number}' in one for number in (1, 2, 3)) and 'p.json' in one
    assert 'several sizes' in sizes and 'no image in its "data"' in text


def test_the_other_export(tmp_path):
    rows = [dict(image='1.jpg', id=1, annotator=1, annotation_id=2, label=[dict(x=1)])]
    with pytest.raises(DataError, match='p.json: .*not JSON-MIN'):
        read(tmp_path, ['1.jpg'], {'p.json': json.dumps(rows)})
