# DeepLab-LargeFOV over VGG16 at output stride 8
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], size=(328, 328)),
    backbone=dict(
        type='mmseg_wss.VGG16LargeFOV',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16')),
    decode_head=dict(
        type='FCNHead', in_channels=1024, in_index=0, channels=1024, num_convs=0,
        concat_input=False, dropout_ratio=0., num_classes=21,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
