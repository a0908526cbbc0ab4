"""Writes the tables of docs/heads_and_labels.md: each head takes two steps with each kind of label.

``python docs/render_heads.py`` after a change of a head, or of a message. The network is small and
random, the pictures are drawn, and it takes some seconds on a CPU.
"""
import copy
import tempfile
from pathlib import Path

import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed

from mmseg_wss.errors import ConfigError, DataError
from mmseg_wss.labels.formats.mask_file import read_mask
from mmseg_wss.labels.stores.mask_folder import MaskFolder
from mmseg_wss.registry import DATASETS, MODELS
from mmseg_wss.simulation.shapes import SHAPE_CLASSES, make_shapes
from mmseg_wss.simulation.weak_label_jobs import MakeWeakLabel

PAGE = Path(__file__).parent / 'heads_and_labels.md'
BEGIN, END = '<!-- tables of render_heads.py: begin -->', '<!-- end -->'
CLASSES = len(SHAPE_CLASSES)

OTHER = dict(in_channels=8, in_index=0, channels=8, num_classes=CLASSES,
             loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
FCN = dict(OTHER, type='FCNHead', num_convs=1, concat_input=False)
DUAL = dict(type='mmseg_wss.DualBranchHead', num_classes=CLASSES, feature_head=FCN, channels=8)
MIXED = dict(type='mmseg_wss.MixedDualHead', num_classes=CLASSES, feature_head=FCN)


def em(e_step, head=FCN):
    return dict(type='mmseg_wss.EMHead', head=head, e_step=dict(type=e_step))


def energy(head):
    return dict(type='mmseg_wss.DenseEnergyHead', head=head)


HEADS = {  # name -> its config, and whether strong images are in the batch beside those of the kind
    "a head of mmseg, such as `FCNHead`": (FCN, True),
    '`DualBranchHead`': (DUAL, True),
    '`MixedDualHead`': (MIXED, True),
    '`DenseEnergyHead` around `FCNHead`': (energy(FCN), True),
    '`DenseEnergyHead` around `MixedDualHead`': (energy(MIXED), True),
    "`DenseEnergyHead` around `EMHead`, 'fixed'": (energy(em('fixed')), True),
    "`EMHead`, 'fixed'": (em('fixed'), True),
    "`EMHead`, 'adapt'": (em('adapt'), True),
    "`EMHead`, 'box'": (em('box'), True),
    "`EMHead`, 'mask'": (em('mask'), True),
    "`EMHead`, 'fixed', around `MixedDualHead`": (em('fixed', MIXED), True),
    '`DSRGHead`': (dict(type='mmseg_wss.DSRGHead', head=FCN), False),
    '`RRMHead`': (dict(type='mmseg_wss.RRMHead', num_classes=CLASSES, in_channels=8, in_index=0,
                       channels=8, scales=(0.5, 1.), labels=dict(rule='cam')), False),
}
KINDS = {  # name -> options of the data set, and whether PseudoMask paints boxes
    "'pixel'": (dict(), False),
    "'box'": (dict(supervision='box'), False),
    "'box', `PseudoMask`": (dict(supervision='box'), True),
    "'image'": (dict(supervision='image'), False),
    "'point'": (dict(supervision='point'), False),
    "'scribble'": (dict(supervision='scribble'), False),
    "'pseudo'": (dict(supervision='pseudo', pseudo_mask='Pseudo'), False),
    "'none'": (dict(supervision='none'), False),
}
INNER = {
    '`FCNHead`': FCN, 'a two-branch head': MIXED, '`EMHead`': em('fixed'),
    '`DenseEnergyHead`': energy(FCN), '`RRMHead`': HEADS['`RRMHead`'][0],
    '`DSRGHead`': HEADS['`DSRGHead`'][0],
    '`DAHead`, `EncHead`': dict(OTHER, type='DAHead', pam_channels=4),
    '`OCRHead`': dict(OTHER, type='OCRHead', ocr_channels=4),
}
WRAPPERS = {
    '`DenseEnergyHead`': energy, '`EMHead`': lambda head: em('fixed', head),
    '`DSRGHead`': lambda head: dict(type='mmseg_wss.DSRGHead', head=head),
    '`CrossJointHead`': lambda head: dict(
        type='mmseg_wss.CrossJointHead', head=head, groups=[[0, 1], *([i] for i in range(
            2, CLASSES))]),
    'a two-branch head': lambda head: dict(MIXED, feature_head=head),
}


def draw(folder):
    """Four pictures with labels of each kind, in VOC layout."""
    root = Path(folder, 'shapes')
    make_shapes(root, num_images=(2, 2, 0), size=(48, 48))
    ids = (root / 'ImageSets/Segmentation/train_weak.txt').read_text().split()
    for kind, name in ('points', 'PointLabels'), ('scribbles', 'ScribbleLabels'), (None, 'Pseudo'):
        make = kind and MakeWeakLabel(kind, SHAPE_CLASSES)
        with MaskFolder(root / name, dict(tool='render_heads', method=str(kind))) as store:
            for image in ids:
                image_path, mask_path = (str(root / part) for part in (
                    f'JPEGImages/{image}.jpg', f'SegmentationClass/{image}.png'))
                store.write(image, make(image, image_path, mask_path) if make
                            else read_mask(mask_path))
    return root


def samples_of(root, ann_file, options, paint):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='mmseg_wss.LoadWeakLabels'),
                *([dict(type='mmseg_wss.PseudoMask')] if paint else []),
                dict(type='mmseg_wss.PackWeakSegInputs')]
    dataset = DATASETS.build(dict(
        type='mmseg_wss.VOCWeakSegDataset', data_root=str(root), pipeline=pipeline,
        ann_file=f'ImageSets/Segmentation/{ann_file}.txt', **options))
    return [dataset[i] for i in range(len(dataset))]


def build(head):
    set_random_seed(0)
    return MODELS.build(dict(
        type='mmseg_wss.WeakEncoderDecoder', decode_head=copy.deepcopy(head), train_cfg=dict(),
        test_cfg=dict(mode='whole'), backbone=dict(
            type='UNet', in_channels=3, base_channels=4, num_stages=2, strides=(1, 1),
            enc_num_convs=(1, 1), dec_num_convs=(1, ), downsamples=(True, ), enc_dilations=(1, 1),
            dec_dilations=(1, )),
        data_preprocessor=dict(type='mmseg_wss.WeakSegDataPreprocessor', mean=[120.] * 3,
                               std=[60.] * 3)))


def changed(sample):
    """A sample with other labels."""
    sample = copy.deepcopy(sample)
    labels = sample['data_samples']
    if 'gt_sem_seg' in labels:
        mask = labels.gt_sem_seg.data
        mask[mask != 255] = (mask[mask != 255] + 1) % CLASSES
    if 'gt_tags' in labels:
        labels.gt_tags[1:] = 1 - labels.gt_tags[1:]
    return sample


def outcome(head, samples, strong):
    """'trains', or why not; two steps, then whether other labels would have another loss."""
    model = build(head).train()
    optimiser = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    try:
        for _ in range(2):
            losses = model.train_step(
                pseudo_collate(copy.deepcopy(samples + strong)), optimiser)
    except (ConfigError, DataError) as error:
        return str(error).split('.jpg: ')[-1]
    if not all(value.isfinite().all() for value in losses.values()):
        return 'the loss is not finite.'

    def loss(batch):
        set_random_seed(0)
        with torch.no_grad():
            data = model.data_preprocessor(pseudo_collate(copy.deepcopy(batch)), True)
            return sum(value.sum() for key, value in model(**data, mode='loss').items()
                       if 'loss' in key)
    differ = loss(samples + strong) != loss([*map(changed, samples), *strong])
    return 'trains' if differ else 'it trains, but its labels are not used.'


def built(wrap, inner):
    """'fits', or why not, whatever both are called."""
    outer = wrap(inner)
    try:
        build(outer)
    except ConfigError as error:
        text = str(error).replace(inner['type'].split('.')[-1], 'INSIDE', 1)
        return text.replace(outer['type'].split('.')[-1], 'AROUND')
    return 'fits'


def table(title, columns, rows, said):
    """A table whose cells are a word, or the numbers of messages below it."""
    messages = {}
    lines = [f'| {title} | {" | ".join(columns)} |', '|---' * (len(columns) + 1) + '|']
    for name, cells in rows.items():
        shown = [cell if cell in said else
                 f'no ({messages.setdefault(cell, len(messages) + 1)})' for cell in cells]
        lines.append(f'| {name} | {" | ".join(shown)} |')
    return '\n'.join([*lines, '', *(f'{number}. {text}' for text, number in messages.items())])


def render():
    """Both tables."""
    init_default_scope('mmseg')
    with tempfile.TemporaryDirectory() as folder:
        root = draw(folder)
        strong = samples_of(root, 'train_strong', dict(), False)
        samples = [samples_of(root, 'train_weak', *kind) for kind in KINDS.values()]
    pairs = {name: [outcome(head, batch, strong if with_strong else []) for batch in samples]
             for name, (head, with_strong) in HEADS.items()}
    nested = {name: [built(wrap, head) for head in INNER.values()]
              for name, wrap in WRAPPERS.items()}
    return '\n\n'.join([
        table('head', KINDS, pairs, ['trains']),
        '## Which head goes around which?\n\nWhat does not fit is refused when the model is built.',
        table('around \\ inside', INNER, nested, ['fits'])])


def page():
    """The text of the page as it should be."""
    text = PAGE.read_text(encoding='utf-8')
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f'{before}{BEGIN}\n{render()}\n{END}{after}'


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
