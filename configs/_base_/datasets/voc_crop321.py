# WSSL, its released code: crops of 321 from the images as they are, mirrored
_base_ = './voc.py'
crop_size = (321, 321)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PseudoMask', kind='rect'),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tags_pipeline = [step for step in train_pipeline if step['type'] != 'mmseg_wss.PseudoMask']
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [  # the training has one scale: mirror images alone
    _base_.tta_pipeline[0],
    dict(type='TestTimeAug', transforms=_base_.tta_pipeline[1].transforms[1:])]
# 1464 images with masks and 9118 with less, or all 10,582 with less: boxes, boxes that
# tools/generate_proposals.py --method bbox_seg has made masks of, or tags
strong = dict(pipeline=train_pipeline)
weak_boxes = dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root='{{$VOC_ROOT:data/VOCdevkit/VOC2012}}',
    supervision='box', ann_file='ImageSets/Segmentation/aug.txt', pipeline=train_pipeline)
weak_segments = dict(
    weak_boxes, supervision='pseudo', pseudo_mask='PseudoMask_bbox_seg', made_by='bbox_seg')
weak_tags = dict(weak_boxes, supervision='image', pipeline=tags_pipeline)
all_boxes = dict(weak_boxes, ann_file='ImageSets/Segmentation/trainaug.txt')
all_segments = dict(weak_segments, ann_file='ImageSets/Segmentation/trainaug.txt')
all_tags = dict(weak_tags, ann_file='ImageSets/Segmentation/trainaug.txt')
all_strong = dict(
    all_boxes, supervision='pixel', data_prefix=dict(seg_map_path='SegmentationClassAug'))
train_dataloader = dict(
    batch_size=20, sampler=dict(batch_size=20, source_ratio=[1], by_epoch=False))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
