# msrc.py for AnnNet: every image has boxes, and their priors are channels 4 and 5 of the input
_base_ = './msrc.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='RandomResize', scale=(320, 320), ratio_range=(0.75, 1.5), keep_ratio=True),
    dict(type='mmseg_wss.BoxPriors'),
    dict(type='mmseg_wss.RandomCrop', crop_size=(224, 224), cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.BoxPriors'),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.75, 1.0, 1.25)],
        [dict(type='RandomFlip', prob=p, direction='horizontal') for p in (0., 1.)],
        [dict(type='mmseg_wss.LoadWeakLabels')],
        [dict(type='mmseg_wss.BoxPriors')],
        [dict(type='mmseg_wss.PackWeakSegInputs')],
    ]),
]
strong = dict(with_boxes=True, pipeline=train_pipeline)
weak = dict(  # with the masks of tools/generate_proposals.py
    supervision='pseudo', pseudo_mask='ProposalMask', with_boxes=True, pipeline=train_pipeline)
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.strong, **strong), dict(_base_.weak, **weak)]))
val_dataloader = dict(dataset=dict(with_boxes=True, pipeline=test_pipeline))
test_dataloader = val_dataloader
