# the 285 training images with tags alone, and with seeds or masks that were made from them
_base_ = './msrc.py'
tags_pipeline = [  # no mask: RRM mines its own
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='RandomResize', scale=_base_.scale, ratio_range=(0.75, 1.5), keep_ratio=True),
    dict(type='mmseg_wss.RandomCrop', crop_size=_base_.crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tags = dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root='{{$MSRC_ROOT:data/msrc}}', supervision='image',
    ann_file='ImageSets/Segmentation/trainaug.txt', pipeline=tags_pipeline)
rrm_masks = dict(tags, supervision='pseudo', pseudo_mask='PseudoMask_rrm_efflite0')
dsrg_seeds = dict(tags, supervision='pseudo', pseudo_mask='Seeds_dsrg')
dsrg_masks = dict(tags, supervision='pseudo', pseudo_mask='PseudoMask_dsrg_efflite0')
train_dataloader = dict(sampler=dict(source_ratio=[1]), dataset=dict(datasets=[tags]))
