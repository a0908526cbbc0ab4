# textured shapes that the project draws itself on first use
data_root = 'data/shapes'
dataset_type = 'mmseg_wss.ShapesDataset'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PseudoMask', kind='rect'),
    dict(type='RandomResize', scale=(128, 128), ratio_range=(0.8, 1.25), keep_ratio=True),
    dict(type='mmseg_wss.RandomCrop', crop_size=(96, 96)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
strong = dict(
    type=dataset_type, data_root=data_root, supervision='pixel',
    ann_file='ImageSets/Segmentation/train_strong.txt', pipeline=train_pipeline)
weak = dict(
    type=dataset_type, data_root=data_root, supervision='box',
    ann_file='ImageSets/Segmentation/train_weak.txt', pipeline=train_pipeline)
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mmseg_wss.StrongWeakSampler', batch_size=16, source_ratio=[1, 1]),
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
