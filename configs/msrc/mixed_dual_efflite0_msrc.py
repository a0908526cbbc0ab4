# 60 masks and 225 boxed images: mixed dual head
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=16, mix_ratio=(7, 1),
    feature_head=_base_.model.decode_head))
