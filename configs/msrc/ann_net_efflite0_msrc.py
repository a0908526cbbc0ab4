# AnnNet: image and box priors, 60 masks and 225 proposal masks, mixed dual head
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc_priors.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
method = 'annnet'  # in the records of its masks
model = dict(
    # priors (position 0..255, class 0..15) eight times as large as RGB: their filters start at 0
    # and have 1500 steps to grow
    data_preprocessor=dict(
        mean=[127.5, 127.5, 127.5, 127.5, 0.], std=[127.5, 127.5, 127.5, 16., 1.],
        extra_pad_vals=(255., 0.)),
    backbone=dict(in_channels=5),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=16, mix_ratio=(7, 1),
        feature_head=_base_.model.decode_head))
