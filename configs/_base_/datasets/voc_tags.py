# RRM, "Implementation Details": 10,582 images with tags; scales 0.7 to 1.3, crop 321
_base_ = './voc.py'
crop_size = (321, 321)
tags_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.RandomScale', ratio_range=(0.7, 1.3)),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [  # as large and as small as in the training
    _base_.tta_pipeline[0],
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.75, 1.0, 1.25)],
        *_base_.tta_pipeline[1].transforms[1:]])]
tags = dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root='{{$VOC_ROOT:data/VOCdevkit/VOC2012}}',
    supervision='image', ann_file='ImageSets/Segmentation/trainaug.txt', pipeline=tags_pipeline)
train_dataloader = dict(sampler=dict(source_ratio=[1]), dataset=dict(datasets=[tags]))
