# Chen et al., Mixed-dual-head Meets Box Priors, sections 3.2 and 4.2: AnnNet with box priors
_base_ = [
    '../_base_/models/fcn_hr48.py', '../_base_/datasets/voc_priors.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/sgd_60e.py'
]
method = 'annnet'  # in the records of its masks
model = dict(
    data_preprocessor=dict(  # priors: position 0..255, class 0..20
        mean=[123.675, 116.28, 103.53, 128., 0.], std=[58.395, 57.12, 57.375, 64., 10.],
        extra_pad_vals=(255., 0.)),
    backbone=dict(in_channels=5),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=21, mix_ratio=(7, 1),
        norm_cfg=_base_.norm_cfg, feature_head=_base_.model.decode_head))
optim_wrapper = dict(optimizer=dict(lr=0.0008))
