# DSRG, retraining: the 10,582 images with the masks of step 1, in their own proportions
_base_ = './voc_tags.py'
masks_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.RandomCrop', crop_size=(321, 321)),
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
dsrg_masks = dict(
    _base_.tags, supervision='pseudo', pseudo_mask='PseudoMask_dsrg_vgg16',
    pipeline=masks_pipeline)
train_dataloader = dict(
    batch_size=10, sampler=dict(batch_size=10, by_epoch=False),
    dataset=dict(datasets=[dsrg_masks]))
