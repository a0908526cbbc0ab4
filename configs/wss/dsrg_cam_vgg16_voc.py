# DSRG, the seeds: VGG16 as a classifier of tags. The paper does not state how it was trained; this
# is SEC's recipe for its CAM network, with the pools of DeepLab and a 1x1 fc7 instead of 3x3.
_base_ = [
    '../_base_/models/largefov_vgg16.py', '../_base_/datasets/voc_dsrg.py',
    '../_base_/iter_runtime.py'
]
method = 'dsrg_cam_vgg16'  # in the records of its masks
model = dict(
    data_preprocessor=dict(size=(321, 321)),
    backbone=dict(fc6_dilation=1, decimate_fc=False),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.RRMHead', in_channels=1024, in_index=0, num_classes=21,
        scales=(1., ), predict_tags=True,
        channels=1, loss_energy=None))  # its segmentation branch rests
train_dataloader = dict(
    batch_size=15, sampler=dict(batch_size=15), dataset=dict(datasets=[_base_.dsrg_tags]))
val_evaluator = [dict(type='mmpretrain.AveragePrecision')]
test_evaluator = val_evaluator

# x1 and x2 for weights and biases from ImageNet, x10 and x20 for new ones
fc, fc_bias = dict(lr_mult=10.), dict(lr_mult=20., decay_mult=0.)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0., custom_keys={
        'decode_head': fc, 'backbone.fc6': fc, 'backbone.fc7': fc,
        'backbone.fc6.bias': fc_bias, 'backbone.fc7.bias': fc_bias}))
param_scheduler = [dict(type='StepLR', step_size=2000, gamma=0.1, by_epoch=False)]
default_hooks = dict(checkpoint=dict(save_best='multi-label/mAP'))
custom_hooks = [*_base_.custom_hooks, dict(type='mmseg_wss.ClassifyFirstHook', share=1.)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=8000, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=15)
