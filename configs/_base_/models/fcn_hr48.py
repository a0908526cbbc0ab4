# HRNetV2-W48 with its own head: the four resolutions concatenated, 1x1 convolution
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], size=(512, 512)),
    pretrained='open-mmlab://msra/hrnetv2_w48',
    backbone=dict(
        type='HRNet', norm_cfg=norm_cfg, norm_eval=False,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4, ),
                        num_channels=(64, )),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4, 4),
                        num_channels=(48, 96)),
            stage3=dict(num_modules=4, num_branches=3, block='BASIC', num_blocks=(4, 4, 4),
                        num_channels=(48, 96, 192)),
            stage4=dict(num_modules=3, num_branches=4, block='BASIC', num_blocks=(4, 4, 4, 4),
                        num_channels=(48, 96, 192, 384)))),
    decode_head=dict(
        type='FCNHead', in_channels=[48, 96, 192, 384], in_index=(0, 1, 2, 3), channels=720,
        input_transform='resize_concat', kernel_size=1, num_convs=1, concat_input=False,
        dropout_ratio=-1, num_classes=21, norm_cfg=norm_cfg, align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
