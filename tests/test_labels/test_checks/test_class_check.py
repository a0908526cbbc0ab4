"""Names of classes, and how many there can be: a mask has 0..254 for them, and 255 for ignored."""
import re

import pytest
from dataset_bench import LAYOUTS, make_root, voc_config
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from mmseg_wss.engine.config_check import head_faults
from mmseg_wss.engine.data_lists import DataList, read_data_lists
from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.labels.checks.class_check import class_faults
from mmseg_wss.labels.formats.class_names import devkit_classes, read_class_names


def names(number):
    return ['background', *(f'class {label}' for label in range(1, number))]


TOO_MANY = 'has {} classes, but a mask holds 255 .*leave some out, or merge them'
TWICE = "has the name '{}' for the classes {}: give each class a name of its own"
NAMELESS = 'has no name for class {}, but {}: give each class a name'
BAD_CLASSES = {
    'one-too-many': (names(256), TOO_MANY.format(256)),
    'that-wrap': (names(299), TOO_MANY.format(299)),
    'far-too-many': (names(1000), TOO_MANY.format(1000)),
    'twice': (['background', 'red', 'red'], TWICE.format('red', '1, 2')),
    'twice-apart': (['background', 'red', 'green', 'red'], TWICE.format('red', '1, 3')),
    'three-times': (['a', 'b', 'b', 'b'], TWICE.format('b', '1, 2, 3')),
    'background-twice': (['background', 'background'], TWICE.format('background', '0, 1')),
    'twice-but-for-blanks': (['background', 'red', ' red'], TWICE.format('red', '1, 2')),
    'empty': (['background', '', 'green'], NAMELESS.format(1, "''")),
    'empty-first': (['', 'red'], NAMELESS.format(0, "''")),
    'no-class': ([], 'is empty: write the name of each class'),
    'blank': (['background', 'red', ' \t'], NAMELESS.format(2, r"' \\t'")),
}
BLANK = 'empty', 'empty-first', 'blank', 'twice-but-for-blanks', 'no-class'
NO_NAMES = {
    'none': (['background', None, 'red'], NAMELESS.format(1, 'None')),
    'number': (['background', 7], NAMELESS.format(1, '7')),
    'list': (['background', ['red']], NAMELESS.format(1, r"\['red'\]")),
}
GOOD_CLASSES = [names(255), ('background', 'red'), ['a', 'A', 'Hügel', 'two words'], ['x']]


@pytest.mark.parametrize('name', [*BAD_CLASSES, *NO_NAMES])
def test_faulty_names(name):
    classes, said = {**BAD_CLASSES, **NO_NAMES}[name]
    fault, = class_faults(classes)
    assert re.search(said, fault)


@pytest.mark.parametrize('classes', GOOD_CLASSES, ids=len)
def test_good_names(classes):
    assert class_faults(classes) == class_faults(tuple(classes)) == []


def test_all_faults_at_once_and_a_text():
    assert len(class_faults([*names(256), 'class 1', ''])) == 3
    assert 'not a list' in class_faults('names')[0]


@pytest.fixture
def root(tmp_path):
    init_default_scope('mmseg')
    return make_root(tmp_path)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('name', [*BAD_CLASSES, *NO_NAMES])
def test_no_data_set_is_built_with_them_and_the_check_names_them(root, layout, name):
    classes, said = {**BAD_CLASSES, **NO_NAMES}[name]
    with pytest.raises(DataError, match=said) as error:
        LAYOUTS[layout](root, 'none', metainfo=dict(classes=classes))
    assert 'weak' in str(error.value) and "metainfo['classes']" in str(error.value)
    config = voc_config(root, 'none', metainfo=dict(classes=classes))
    listed, = read_data_lists(Config(dict(train_dataloader=dict(dataset=config))))
    fault, = listed.faults
    assert re.search(said, fault)


@pytest.mark.parametrize('end', ['', '\n', '\n\n'])
@pytest.mark.parametrize('name', [name for name in BAD_CLASSES if name not in BLANK])
def test_a_file_of_them_is_refused(root, name, end):
    classes, said = BAD_CLASSES[name]
    (root / 'classes.txt').write_text('\n'.join(classes) + end)
    for read in (lambda: devkit_classes(str(root)), lambda: read_class_names(root / 'classes.txt'),
                 lambda: LAYOUTS['voc'](root, 'none', metainfo=None)):
        with pytest.raises(DataError, match=said) as error:
            read()
        assert str(error.value).startswith(f'{root}/classes.txt: ')


def test_blank_lines_are_passed_over_and_an_empty_file_is_refused(root):
    (root / 'classes.txt').write_text('background\r\n\r\n red \r\n \t\r\n')
    assert devkit_classes(str(root)) == ['background', 'red']
    (root / 'classes.txt').write_text(' \n')
    with pytest.raises(DataError, match=r'classes\.txt: the list of class names is empty'):
        devkit_classes(str(root))


def test_data_sets_of_mmseg_are_checked_too(root):
    config = dict(
        type='BaseSegDataset', data_root=str(root), ann_file='ImageSets/Segmentation/weak.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'))
    for classes, number in (BAD_CLASSES['twice'][0], 1), (names(299), 1), (names(3), 0):
        config['metainfo'] = dict(classes=classes)
        listed, = read_data_lists(Config(dict(val_dataloader=dict(dataset=config))))
        assert len(listed.faults) == number and len(listed.images) == 4


FCN = dict(type='mmseg.FCNHead', in_channels=4, channels=4, num_convs=0, concat_input=False,
           loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True))
HEADS = {
    'DualBranchHead': dict(feature_head=dict(FCN, num_classes=2), num_shared_convs=0, num_convs=1),
    'MixedDualHead': dict(feature_head=dict(FCN, num_classes=2)),
    'RRMHead': dict(in_channels=4, channels=4),
    'DeepLabV2Head': dict(in_channels=4),
    'DeepLabMScHead': dict(in_channels=[4, 4], early_strides=[1], in_index=[0, 1]),
    'DenseEnergyHead': dict(head=FCN), 'EMHead': dict(head=FCN), 'DSRGHead': dict(head=FCN),
    'CrossJointHead': dict(head=FCN),
}


def head_config(name, number):
    head = dict(HEADS[name], type=f'mmseg_wss.{name}')
    if 'head' not in head:
        return dict(head, num_classes=number)
    head['head'] = dict(head['head'], num_classes=number)
    if name == 'CrossJointHead':
        head['groups'] = [[0, 1], *([label] for label in range(2, number))]
    return head


@pytest.mark.parametrize('number', [256, 299])
@pytest.mark.parametrize('name', HEADS)
def test_no_head_is_built_for_more_classes_than_a_mask_holds(name, number):
    config = head_config(name, number)
    with pytest.raises(ConfigError, match=f'{name}: num_classes={number}: .*a mask holds 255'):
        MODELS.build(config)
    faults = head_faults(dict(decode_head=config), [DataList('list', True, 'pixel')])
    assert faults and all('model.decode_head: the head has' in fault for fault in faults)
    assert MODELS.build(head_config(name, 255)).num_classes == 255 - (name == 'CrossJointHead')


@pytest.mark.parametrize('which', ['decode_head', 'auxiliary_head'])
def test_no_segmentor_is_built_around_such_a_head_of_mmseg(which):
    heads = {key: dict(FCN, num_classes=256 if key == which else 3)
             for key in ('decode_head', 'auxiliary_head')}
    backbone = dict(
        type='mmseg.ResNetV1c', depth=18, num_stages=1, strides=(1, ), dilations=(1, ),
        out_indices=(0, ))
    with pytest.raises(ConfigError, match='FCNHead: num_classes=256'):
        MODELS.build(dict(type='mmseg_wss.WeakEncoderDecoder', backbone=backbone, **heads))
