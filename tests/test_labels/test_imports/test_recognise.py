"""What the beginnings of files say."""
import json

import pytest

from mmseg_wss.errors import DataError
from mmseg_wss.labels.imports.recognise import misplaced_export, recognise

FILES = dict(
    coco={'instances.json': json.dumps(dict(info={}, licenses=[], images=[], annotations=[]))},
    labelme={'a.json': json.dumps(dict(version='5.5.0', flags={}, shapes=[], imagePath='a.jpg'))},
    label_studio={'p.json': json.dumps([dict(id=1, annotations=[], data=dict(image='a.jpg'))])},
    cvat={'annotations.xml': '<?xml version="1.0"?>\n<annotations>\n<version>1.1</version>'},
    voc={'a.xml': '<annotation><filename>a.jpg</filename></annotation>',
         'labelmap.txt': '# label:color_rgb:parts:actions\nbackground:0,0,0::\n'},
    yolo={'labels/a.txt': '0 0.5 0.5 0.25 1\n', 'data.yaml': 'train: images\nnc: 1\nnames: [a]\n'})
OTHER = {'notes.txt': 'hello', 'settings.json': '{"a": 1}', 'pom.xml': '<project/>',
         'train.txt': 'images/a.jpg\n'}


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize('kind', FILES)
def test_each_is_recognised(tmp_path, kind):
    write(tmp_path, {**OTHER, **FILES[kind]})
    export = recognise(str(tmp_path))
    assert export.kind == kind
    assert sorted(export.files) == sorted(str(tmp_path / name) for name in FILES[kind])
    for path in export.files:
        assert recognise(path) == (kind, str(tmp_path / path).rpartition('/')[0], [path])


def test_several_and_none(tmp_path):
    write(tmp_path, OTHER)
    with pytest.raises(DataError, match='nothing that is known'):
        recognise(str(tmp_path))
    write(tmp_path, {**FILES['coco'], **FILES['yolo']})
    with pytest.raises(DataError, match='COCO json .*YOLO txt .*choose one by --format'):
        recognise(str(tmp_path))
    assert recognise(str(tmp_path), 'yolo').kind == 'yolo'
    (tmp_path / 'export.zip').write_bytes(b'PK')
    with pytest.raises(DataError, match='unpack it'):
        recognise(str(tmp_path / 'export.zip'))


@pytest.mark.parametrize('kind', ['coco', 'labelme', 'label_studio'])
def test_a_damaged_json_file_is_named(tmp_path, kind):
    (name, text), = FILES[kind].items()
    cut = text[:9]
    write(tmp_path / 'one', {name: cut})
    for source in ('one', f'one/{name}'):
        for chosen in (None, kind):
            with pytest.raises(DataError, match=f'one/{name}: not a readable JSON file'):
                recognise(str(tmp_path / source), chosen)
    write(tmp_path / 'more', {name: text, 'x/instances.json': cut, **OTHER})
    if kind == 'labelme':  # one file an image: a fault of this image
        assert f'{tmp_path}/more/x/instances.json' in recognise(str(tmp_path / 'more')).files
    else:
        with pytest.raises(DataError, match='x/instances.json: not a readable JSON file'):
            recognise(str(tmp_path / 'more'))


def test_a_damaged_json_file_beside_another_export_says_nothing(tmp_path):
    write(tmp_path, {**FILES['yolo'], 'cut.json': '{"a'})
    assert recognise(str(tmp_path)).kind == 'yolo'


@pytest.mark.parametrize('text', ['cat:1,2::\n', 'cat;1,2,3\n', '# label:color_rgb\ncat 1,2,3\n'])
def test_a_label_map_that_is_wrong_is_one(tmp_path, text):
    write(tmp_path, {'labelmap.txt': text, 'SegmentationClass/notes.md': ''})
    export = recognise(str(tmp_path))
    assert export.kind == 'voc' and export.files == [f'{tmp_path}/labelmap.txt']


def test_instances_of_a_release_of_coco(tmp_path):
    text = FILES['coco']['instances.json']
    write(tmp_path, {f'{name}_val.json': text for name in ('captions', 'instances')})
    assert recognise(str(tmp_path)).files == [str(tmp_path / 'instances_val.json')]


def test_an_export_in_the_place_of_a_devkit(tmp_path):
    write(tmp_path, {**FILES['coco'], 'ImageSets/Segmentation/train.txt': 'a\n'})
    root = str(tmp_path)
    assert misplaced_export(root, 'ImageSets/Segmentation/train.txt', False) is None
    assert misplaced_export(root, 'instances.json', True) is None
    assert 'import_labels.py' in misplaced_export(root, 'instances.json', False)
    assert misplaced_export(root, 'ImageSets/Segmentation/val.txt', False) is None
    write(tmp_path / 'photographs', FILES['labelme'])
    assert 'LabelMe json' in misplaced_export(f'{root}/photographs', 'val.txt', False)
    assert misplaced_export(f'{root}/missing', 'list.txt', False) is None
