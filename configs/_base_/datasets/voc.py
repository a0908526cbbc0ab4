# PASCAL VOC 2012 with SBD's images; set VOC_ROOT where it lies elsewhere. Scales are relative to
# the file, which is tested at its own size.
data_root = '{{$VOC_ROOT:data/VOCdevkit/VOC2012}}'
dataset_type = 'mmseg_wss.VOCWeakSegDataset'
crop_size = (512, 512)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.RandomScale', ratio_range=(0.5, 2.0)),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=r, keep_ratio=True)
         for r in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)],
        [dict(type='RandomFlip', prob=p, direction='horizontal') for p in (0., 1.)],
        [dict(type='mmseg_wss.LoadWeakLabels')],
        [dict(type='mmseg_wss.PackWeakSegInputs')],
    ]),
]

# the sources that a config picks from: train_dataloader.dataset.datasets = [_base_.strong, ...]
strong = dict(  # 1464 images
    type=dataset_type, data_root=data_root, supervision='pixel',
    ann_file='ImageSets/Segmentation/train.txt', pipeline=train_pipeline)
weak = dict(  # 9118 images, with AnnNet's masks
    type=dataset_type, data_root=data_root, supervision='pseudo', pseudo_mask='PseudoMask_annnet',
    ann_file='ImageSets/Segmentation/aug.txt', pipeline=train_pipeline)
weak_as_strong = dict(  # the same images with SBD's masks, for the upper reference
    type=dataset_type, data_root=data_root, supervision='pixel',
    data_prefix=dict(seg_map_path='SegmentationClassAug'),
    ann_file='ImageSets/Segmentation/aug.txt', pipeline=train_pipeline)

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(  # trainings are equally long, whatever sources they have
        type='mmseg_wss.StrongWeakSampler', batch_size=8, source_ratio=[1, 1], by_epoch=True,
        epoch_images=10582),
    dataset=dict(type='ConcatDataset', datasets=[strong, weak]))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(type='mmseg_wss.ClassIoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
