# 60 masks and 225 boxed images: dual branch over DINOv2's ViT-S/14 and DPT's head, not run here.
# The backbone's weights come from the Hugging Face hub, or from init_cfg.file. The rates are
# UniMatch V2's: 5e-6 for the backbone, 40 times that for what is new. In custom_keys,
# backbone=dict(lr_mult=0., decay_mult=0.) freezes the backbone. DINOv3's model is
# ../_base_/models/dinov3s_dpt.py.
_base_ = [
    '../_base_/models/dinov2s_dpt.py', '../_base_/datasets/msrc.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
new = dict(lr_mult=40.)
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DualBranchHead', num_classes=16, num_shared_convs=1,
    num_convs=1, channels=64, dilation=1, conv_dropout_ratio=0.1, norm_cfg=_base_.norm_cfg,
    feature_head=_base_.model.decode_head))
optim_wrapper = dict(
    optimizer=dict(lr=5e-6), paramwise_cfg=dict(custom_keys=dict(decode_head=new, neck=new)))
