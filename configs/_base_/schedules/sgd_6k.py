# DeepLab-LargeFOV, and WSSL's released code: SGD 0.001, biases x2, classifier x10 and x20, x0.1
# every 2000 of 6000 steps
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0., custom_keys={
        'conv_seg': dict(lr_mult=10.), 'conv_seg.bias': dict(lr_mult=20., decay_mult=0.)}))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[2000, 4000], gamma=0.1, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=6000, val_interval=1000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=20)
