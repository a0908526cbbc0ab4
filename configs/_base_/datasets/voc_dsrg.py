# DSRG: the 10,582 images with tags or seeds, warped to 321 x 321, or with its network's masks
_base_ = './voc_tags.py'
crop_size = (321, 321)
warped_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='Resize', scale=crop_size, keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
masks_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.75, 1.0, 1.25)],
        [dict(type='mmseg_wss.LoadWeakLabels')],
        [dict(type='mmseg_wss.PackWeakSegInputs')],
    ]),
]
dsrg_tags = dict(_base_.tags, pipeline=warped_pipeline)
dsrg_seeds = dict(dsrg_tags, supervision='pseudo', pseudo_mask='SeedsDSRG')
dsrg_masks = dict(dsrg_seeds, pseudo_mask='PseudoMaskDSRG', pipeline=masks_pipeline)
train_dataloader = dict(
    batch_size=20, sampler=dict(batch_size=20, by_epoch=False),
    dataset=dict(datasets=[dsrg_seeds]))
