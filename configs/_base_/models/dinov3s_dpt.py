# DPT's head over DINOv3's ViT-S/16, whose weights have a licence of their own: read it first
_base_ = ['dinov2s_dpt.py']
model = dict(
    data_preprocessor=dict(test_cfg=dict(size_divisor=16)),
    backbone=dict(model_name='vit_small_patch16_dinov3'),
    decode_head=dict(patch_size=16))
