# DSRG, step 1: the 10,582 images with tags or seeds, all warped to 321 x 321, in training and when
# masks are made from the network
_base_ = './voc_tags.py'
crop_size = (321, 321)
warped_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='Resize', scale=crop_size, keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=crop_size, keep_ratio=False),
    # behind Resize: a prediction is compared at the size of the file
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(size, size), keep_ratio=False) for size in (241, 321, 401)],
        [dict(type='mmseg_wss.LoadWeakLabels')],
        [dict(type='mmseg_wss.PackWeakSegInputs')],
    ]),
]
dsrg_tags = dict(_base_.tags, pipeline=warped_pipeline)
dsrg_seeds = dict(dsrg_tags, supervision='pseudo', pseudo_mask='Seeds_dsrg')
train_dataloader = dict(
    batch_size=20, sampler=dict(batch_size=20, by_epoch=False),
    dataset=dict(datasets=[dsrg_seeds]))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
