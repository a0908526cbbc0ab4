# DPT's head over four blocks of DINOv2's ViT-S/14, as UniMatch V2 has it
_base_ = ['dinov2s_linear.py']
model = dict(
    backbone=dict(out_indices=(2, 5, 8, 11)),
    neck=dict(num_maps=4),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.DPTMapsHead', in_channels=[384] * 4,
        in_index=[0, 1, 2, 3], input_transform='multiple_select', embed_dims=384,
        post_process_channels=[48, 96, 192, 384], patch_size=14, channels=64, dropout_ratio=0.1,
        num_classes=16, norm_cfg=_base_.norm_cfg, align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))
