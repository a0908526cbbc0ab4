# 15 object classes and background in VOC layout; set MSRC_ROOT where it lies elsewhere
data_root = '{{$MSRC_ROOT:data/msrc}}'
data_hint = ('Or make them from the public release: tools/dataset_converters/msrc.py, '
             'docs/full_size_data.md.')
dataset_type = 'mmseg_wss.VOCWeakSegDataset'
# All images get this size, larger photographs of your own too: a network finds objects that are as
# large as those it was trained with. Predictions are mapped back to the size of the file.
# A training step of MSRC_SIDE=208 takes 0.4 of the time.
scale = (int('{{$MSRC_SIDE:320}}'), ) * 2
crop_size = (scale[0] * 7 // 160 * 16, ) * 2  # 224; a multiple of the output stride
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PseudoMask', kind='rect'),
    dict(type='RandomResize', scale=scale, ratio_range=(0.75, 1.5), keep_ratio=True),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size, cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=scale, keep_ratio=True),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(scale[0] * part // 4, ) * 2, keep_ratio=True)
         for part in (3, 4, 5)],
        [dict(type='RandomFlip', prob=p, direction='horizontal') for p in (0., 1.)],
        [dict(type='mmseg_wss.LoadWeakLabels')],
        [dict(type='mmseg_wss.PackWeakSegInputs')],
    ]),
]

# the sources that a config picks from: train_dataloader.dataset.datasets = [_base_.strong, ...]
strong = dict(
    type=dataset_type, data_root=data_root, supervision='pixel',
    ann_file='ImageSets/Segmentation/train_strong60.txt', pipeline=train_pipeline)
weak = dict(
    type=dataset_type, data_root=data_root, supervision='box',
    ann_file='ImageSets/Segmentation/train_weak60.txt', pipeline=train_pipeline)

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='mmseg_wss.StrongWeakSampler', batch_size=8, source_ratio=[1, 1]),
    dataset=dict(type='ConcatDataset', datasets=[strong, weak]))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(type='mmseg_wss.ClassIoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
