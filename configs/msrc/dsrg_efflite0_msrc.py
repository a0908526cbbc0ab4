# DSRG: 285 images with seeds by the activation maps of rrm_efflite0_msrc.py's classifier
_base_ = '../_base_/efflite0-d8_msrc_tags.py'
method = 'dsrg_efflite0'  # in the records of its masks
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DSRGHead',
    # Maps of 28 x 28: the paper's dilations, for 41 x 41, times 28 / 41. Its CRF's sigmas are
    # those of the full image, 3 and 80, over the size of a map's pixel: 8 of the image's here.
    head=dict(
        type='mmseg_wss.DeepLabV2Head', in_channels=320, in_index=0, num_classes=16,
        dilations=(4, 8, 12, 16),
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    crf=dict(sxy_gaussian=3 / 8, sxy_bilateral=80 / 8)))
train_dataloader = dict(dataset=dict(datasets=[_base_.dsrg_seeds]))
max_iters = 400
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_iters)]
train_cfg = dict(max_iters=max_iters)
