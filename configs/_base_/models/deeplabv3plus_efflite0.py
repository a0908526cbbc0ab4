# DeepLabV3+ with 128 channels over EfficientNet-Lite0 at output stride 16: a CPU trains it
norm_cfg = dict(type='BN')
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    channels_last=True,
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3,
        size=(int('{{$MSRC_SIDE:320}}') * 7 // 160 * 16, ) * 2),  # crop_size of the data
    backbone=dict(
        type='TIMMBackbone', model_name='tf_efficientnet_lite0', pretrained=False,
        output_stride=16, out_indices=(1, 4),
        init_cfg=dict(type='mmseg_wss.EfficientNetLite0Init')),
    decode_head=dict(
        type='DepthwiseSeparableASPPHead', in_channels=320, in_index=1, channels=128,
        dilations=(1, 6, 12, 18), c1_in_channels=24, c1_channels=24, dropout_ratio=0.1,
        num_classes=16, norm_cfg=norm_cfg, align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
