# 40 masks and 160 boxed images of drawn shapes: minutes on a CPU, nothing to download
_base_ = [
    '../_base_/models/unet_tiny.py', '../_base_/datasets/shapes.py',
    '../_base_/schedules/adamw_500i_scratch.py', '../_base_/default_runtime.py'
]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=5, mix_ratio=(7, 1),
    feature_head=_base_.model.decode_head))
