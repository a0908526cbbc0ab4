# 60 masks and 225 boxed images: dual branch, with a shared convolution
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DualBranchHead', num_classes=16, num_shared_convs=1,
    num_convs=1, channels=128, dilation=1, conv_dropout_ratio=0.1, norm_cfg=_base_.norm_cfg,
    feature_head=_base_.model.decode_head))
