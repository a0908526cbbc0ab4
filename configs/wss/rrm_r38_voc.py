# RRM: ResNet-38 from ImageNet, 10,582 images with tags; the classifier alone for half of the steps
_base_ = ['../_base_/datasets/voc_tags.py', '../_base_/epoch_runtime.py']
method = 'rrm_r38'  # in the records of its masks
model = dict(
    type='mmseg_wss.WeakEncoderDecoder',
    data_preprocessor=dict(
        type='mmseg_wss.WeakSegDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], size=(321, 321)),
    backbone=dict(
        type='mmseg_wss.ResNet38',
        # from the published mxnet weights by tools/model_converters/resnet38.py
        init_cfg=dict(type='Pretrained', checkpoint='pretrained/resnet38_imagenet.pth',
                      prefix='backbone.')),
    decode_head=dict(
        type='mmseg_wss.RRMHead', in_channels=4096, in_index=0, channels=512, num_classes=21,
        predict_tags=True),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
train_dataloader = dict(batch_size=8, sampler=dict(batch_size=8))
val_evaluator = [_base_.val_evaluator, dict(type='mmpretrain.AveragePrecision')]
test_evaluator = val_evaluator

# The paper states 0.001; the released code runs without momentum, first at 0.01 -> 0 and, once the
# segmentation branch is trained too, at 0.0007 -> 0. Weights of the head x10 and its biases x20 in
# the first half; the second half has one rate for all.
biases = dict(lr_mult=20., decay_mult=0.)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0., weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0., custom_keys={
        'decode_head': dict(lr_mult=10.),
        'decode_head.hidden.conv.bias': biases,
        'decode_head.conv_seg.bias': biases}))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=12, by_epoch=True,
         convert_to_iter_based=True),
    dict(type='mmseg_wss.RestartLR', factor=0.07, begin=12, by_epoch=True,
         convert_to_iter_based=True),
    dict(type='PolyLR', power=0.9, eta_min=0., begin=12, by_epoch=True,
         convert_to_iter_based=True),
]
custom_hooks = [*_base_.custom_hooks, dict(type='mmseg_wss.ClassifyFirstHook', share=0.5)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=8)
