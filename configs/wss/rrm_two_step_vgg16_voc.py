# RRM, two steps: DeepLab-LargeFOV over VGG16 on the masks of rrm_r38_voc.py
_base_ = ['../_base_/datasets/voc_tags.py', '../_base_/epoch_runtime.py']
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], size=(321, 321)),
    backbone=dict(
        type='mmseg_wss.VGG16LargeFOV',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16')),
    decode_head=dict(
        type='FCNHead', in_channels=1024, in_index=0, channels=1024, num_convs=0,
        concat_input=False, dropout_ratio=0., num_classes=21,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
train_dataloader = dict(
    batch_size=20, sampler=dict(batch_size=20), dataset=dict(datasets=[_base_.rrm_masks]))

# DeepLab-LargeFOV's recipe: 6000 steps of 20 images are 11.3 passes over 10,582
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0., custom_keys={
        'decode_head': dict(lr_mult=10.),
        'decode_head.conv_seg.bias': dict(lr_mult=20., decay_mult=0.)}))
param_scheduler = [dict(type='MultiStepLR', milestones=[4, 8], gamma=0.1, by_epoch=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=20)
