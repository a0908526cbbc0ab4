"""Lists of strong and weak images: what was asked for, disjoint, complete, the same every time."""
import errno
import json
import os
import re

import pytest

CLASSES = ('cat', 'dog', 'cow')


@pytest.fixture
def run(run_tool, tmp_path):
    """Divide 40 images, half of them with a cat, a tenth with a cow.

    Returns the lists by name, or the exit code and the error.
    """
    tags = {f'i{i:02}': ['cat'] * (i % 2) + ['dog'] * (i % 3 == 0) + ['cow'] * (i % 10 == 7)
            for i in range(40)}
    (tmp_path / 'tags.txt').write_text(
        ''.join(' '.join([name, *own]) + '\r\n' for name, own in tags.items()), newline='')

    def divide(*options, source=tmp_path / 'tags.txt', out='out'):
        code, printed = run_tool('dataset_converters/make_splits.py', source, '--out',
                                 tmp_path / out, *options)
        if code:
            return code, printed
        return {path.name: path.read_text('utf-8').splitlines()
                for path in (tmp_path / out).glob('*.txt')}

    divide.tags = tags
    return divide


def test_disjoint_complete_nested_and_balanced(run, tmp_path):
    lists = run('--strong', 6, 12)
    assert set(lists) == {f'train_{part}{n}_v1_seed0.txt'
                          for part in ('strong', 'weak') for n in (6, 12)}
    for number in 6, 12:
        strong, weak = (lists[f'train_{part}{number}_v1_seed0.txt'] for part in ('strong', 'weak'))
        assert len(strong) == number and sorted(strong + weak) == sorted(run.tags)
        facts = json.loads((tmp_path / f'out/train_{number}_v1_seed0.json').read_text())
        for label in CLASSES:
            found = sum(label in run.tags[name] for name in strong)
            assert found >= number // 3 and facts['strong']['per_class'][label] == found
    assert set(lists['train_strong6_v1_seed0.txt']) < set(lists['train_strong12_v1_seed0.txt'])


def test_again_another_seed_and_per_class(run):
    lists = run('--per-class', 2)
    assert lists == run('--per-class', 2, out='again')
    assert len(lists['train_strong2perclass_v1_seed0.txt']) == 2 * len(CLASSES)
    other = run('--per-class', 2, '--seed', 1, out='other')
    assert (other['train_strong2perclass_v1_seed1.txt']
            != lists['train_strong2perclass_v1_seed0.txt'])


def test_a_pool_within_a_longer_list_and_chance(run, tmp_path):
    """As VOC's 374 of 1464 masks, beside 9118 images that have none in any case."""
    pool = tmp_path / 'pool.txt'
    pool.write_text('\n'.join(sorted(run.tags)[:20]))
    lists = run('--strong', 9, '--pool', pool, '--random', '--name', 'voc')
    assert set(lists['voc_strong9_random_v1_seed0.txt']) < set(sorted(run.tags)[:20])
    assert len(lists['voc_weak9_random_v1_seed0.txt']) == 31


def test_a_published_list_of_paths_with_windows_line_ends(run, tmp_path):
    published = tmp_path / 'labeled.txt'
    published.write_bytes(b'/JPEGImages/i03.jpg /SegmentationClass/i03.png\r\n'
                          b'/JPEGImages/i11.jpg /SegmentationClass/i11.png\r\n')
    lists = run('--strong-list', published)
    assert lists['train_strong2.txt'] == ['i03', 'i11'] and len(lists['train_weak2.txt']) == 38


def test_names_with_blanks_and_images_without_a_class(run, tmp_path):
    """An empty image is background alone: no class is owed it."""
    tags = {'my photo 7': 'cat', 'a/ü, 2': '"big dog"', 'c': '', 'd e': ''}
    (tmp_path / 'own.txt').write_text(
        ''.join(f'"{name}" {label}\n' for name, label in tags.items()), 'utf-8')
    (tmp_path / 'all.txt').write_text('\n'.join(tags), 'utf-8')
    lists = run('--strong', 2, '--ann-file', tmp_path / 'all.txt', source=tmp_path / 'own.txt',
                out='own')
    assert set(lists['train_strong2_v1_seed0.txt']) == {'my photo 7', 'a/ü, 2'}
    assert lists['train_weak2_v1_seed0.txt'] == ['c', 'd e']
    (tmp_path / 'paths.txt').write_text(
        '/JPEGImages/a/ü, 2.jpg /SegmentationClass/x.png\n/JPEGImages/d e.JPG\nc.png\n', 'utf-8')
    lists = run('--strong-list', tmp_path / 'paths.txt', source=tmp_path / 'own.txt', out='paths')
    assert lists['train_weak3.txt'] == ['my photo 7']


def test_coco(run, tmp_path):
    path = tmp_path / 'instances.json'
    path.write_text(json.dumps(dict(
        images=[dict(id=i, file_name=f'{i:012}.jpg', width=9, height=9) for i in range(8)],
        categories=[dict(id=3, name='cat'), dict(id=90, name='traffic light')],
        annotations=[dict(id=i, image_id=i, category_id=90 if i == 5 else 3, bbox=[0, 0, 5, 5],
                          iscrowd=0) for i in range(7)])))
    lists = run('--strong', 2, source=path, out='coco')
    assert '000000000005' in lists['train_strong2_v1_seed0.txt']  # the only traffic light
    assert len(lists['train_weak2_v1_seed0.txt']) == 6


@pytest.mark.parametrize('options, message', [
    (('--strong', 41), '41 strong images are wanted, but there are 40'),
    (('--strong', 4, '--exclude', '{val}'), 'val.txt: it has 1 of the images .*: i05'),
    (('--strong-list', '{other}'), 'other.txt: 1 of its images are not among .*: x1'),
    (('--strong-list', '{none}'), 'none.txt: there is no such list'),
    (('--strong', 4, '--ann-file', '{other}'), 'tags.txt: no line for 1 .*other.txt: x1'),
    (('--strong', 4, '--ann-file', '{twice}'), 'twice.txt: .* names 1 .* more than once: i05')])
def test_lists_that_do_not_fit(run, tmp_path, options, message):
    for name, text in dict(val='i05\nv1', other='i05\nx1', twice='i05\ni05').items():
        (tmp_path / f'{name}.txt').write_text(text)
    paths = {name: tmp_path / f'{name}.txt' for name in ('val', 'other', 'none', 'twice')}
    code, error = run(*(str(option).format(**paths) for option in options))
    assert code == 1 and re.search(message, error)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('file', ['tags.txt', 'list.txt'])
def test_text_in_another_encoding(run, tmp_path, file):
    (tmp_path / 'list.txt').write_text('i05\n')
    (tmp_path / file).write_text('i05 cat\n', 'utf-16')
    code, error = run('--strong', 1, '--ann-file', tmp_path / 'list.txt')
    assert code == 1 and re.search(f'{file}: .*Save it as UTF-8', error)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('options', [('--strong', 0), ('--strong', 3, '--seed', -1),
                                     ('--strong-list', 'x', '--random'), ()])
def test_impossible_options(run, options):
    assert run(*options)[0] == 2


@pytest.mark.parametrize('number, words', [
    (errno.ENOSPC, 'Free space on this disk'), (errno.EDQUOT, 'Free space on this disk'),
    (errno.EROFS, 'Choose a folder'), (errno.EACCES, 'Choose a folder')])
@pytest.mark.parametrize('files', [0, 1, 2])
def test_a_disk_that_takes_no_file(run, tmp_path, full_disk, number, words, files):
    with full_disk(files, number) as left:
        code, error = run('--strong', 6, 12)
    assert code == 1 and words in error and left == [-1]  # the first is the last
    name = ('strong6_v1_seed0.txt', 'weak6_v1_seed0.txt', '6_v1_seed0.json')[files]
    assert f'out/train_{name}: {os.strerror(number)}' in error
    assert len(os.listdir(tmp_path / 'out')) == files


def test_a_folder_for_reading(run, read_only):
    code, error = run('--strong', 6, out=read_only / 'lists')
    assert code == 1 and f'{read_only}/lists/train_strong6_v1_seed0.txt: ' in error
    assert 'Choose a folder that you may write to' in error


def test_tags_in_utf16(run, tmp_path):
    path = tmp_path / 'utf16.txt'
    path.write_bytes((tmp_path / 'tags.txt').read_text().encode('utf-16'))
    code, error = run('--strong', 6, source=path)
    assert code == 1 and 'utf16.txt: ' in error and 'Save it as UTF-8' in error
