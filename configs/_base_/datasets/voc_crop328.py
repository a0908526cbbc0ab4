# dual-branch, section 4.1: crop 328, batch 16; the range of scales is not stated
_base_ = './voc.py'
crop_size = (328, 328)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmseg_wss.LoadWeakLabels'),
    dict(type='mmseg_wss.RandomScale', ratio_range=(0.5, 1.5)),
    dict(type='mmseg_wss.RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg_wss.PackWeakSegInputs'),
]
tta_pipeline = [  # as large and as small as in the training
    _base_.tta_pipeline[0],
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.5, 0.75, 1.0, 1.25, 1.5)],
        *_base_.tta_pipeline[1].transforms[1:]])]
strong = dict(pipeline=train_pipeline)
weak = dict(  # with the masks of dsrg_vgg16_voc.py
    pseudo_mask='PseudoMask_dsrg_vgg16', made_by='dsrg_vgg16', pipeline=train_pipeline)
weak_as_strong = dict(pipeline=train_pipeline)
