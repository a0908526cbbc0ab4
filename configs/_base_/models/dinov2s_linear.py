# A linear classifier over the patches of DINOv2's ViT-S/14; the images' sizes are multiples of 14
norm_cfg = dict(type='BN')
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], size=(224, 224), test_cfg=dict(size_divisor=14)),
    backbone=dict(
        type='TIMMBackbone', model_name='vit_small_patch14_dinov2', pretrained=False,
        dynamic_img_size=True, out_indices=(11, ), init_cfg=dict(type='mmseg_wss.TimmInit')),
    neck=dict(type='mmseg_wss.LayerNormMaps', channels=384, num_maps=1),
    decode_head=dict(
        type='FCNHead', in_channels=384, in_index=0, channels=384, num_convs=0, concat_input=False,
        dropout_ratio=0.1, num_classes=16, align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
