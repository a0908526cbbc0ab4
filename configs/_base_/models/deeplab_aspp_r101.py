# DeepLab-v2 over ResNet-101 at output stride 8: four dilated classifiers; BN statistics are frozen,
# since batches are small
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], size=(321, 321)),
    backbone=dict(
        type='ResNet', depth=101, num_stages=4, out_indices=(3, ), dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1), norm_cfg=norm_cfg, norm_eval=True, style='pytorch',
        contract_dilation=True,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101')),
    decode_head=dict(
        type='mmseg_wss.DeepLabV2Head', in_channels=2048, in_index=0, num_classes=21,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
