# RRM, "Implementation Details": 10,582 images with tags; scales 0.7 to 1.3, crop 321
_base_ = './voc.py'
crop_size = (321, 321)
tags_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    # the long side of VOC's images is 500
    dict(type='RandomResize', scale=(500, 500), ratio_range=(0.7, 1.3), keep_ratio=True),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tags = dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root='{{$VOC_ROOT:data/VOCdevkit/VOC2012}}',
    supervision='image', ann_file='ImageSets/Segmentation/trainaug.txt', pipeline=tags_pipeline)
rrm_masks = dict(tags, supervision='pseudo', pseudo_mask='PseudoMask_rrm_r38')
train_dataloader = dict(sampler=dict(source_ratio=[1]), dataset=dict(datasets=[tags]))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
