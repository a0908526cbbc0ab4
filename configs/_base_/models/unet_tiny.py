# a U-Net of 16 to 128 channels at half the resolution: a CPU trains it from scratch in minutes
norm_cfg = dict(type='BN')
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3,
        size_divisor=16, test_cfg=dict(size_divisor=16)),
    backbone=dict(
        type='UNet', base_channels=16, num_stages=4, strides=(2, 1, 1, 1),
        enc_num_convs=(2, 2, 2, 2), dec_num_convs=(2, 2, 2), downsamples=(True, True, True),
        enc_dilations=(1, 1, 1, 1), dec_dilations=(1, 1, 1), norm_cfg=norm_cfg),
    decode_head=dict(
        type='FCNHead', in_channels=16, in_index=3, channels=32, num_convs=1, concat_input=False,
        dropout_ratio=0., num_classes=5, norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
