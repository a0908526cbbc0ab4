# DSRG, step 1 (released code): SGD 5e-4, x0.33 after every 1000 of 8000 steps of 20 images
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=5e-4, momentum=0.9, weight_decay=5e-4),
    # inside DSRGHead or not, the last layers of DeepLabV2Head have these names
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0., custom_keys={
        'classifiers': dict(lr_mult=10.),
        **{f'classifiers.{i}.bias': dict(lr_mult=20., decay_mult=0.) for i in range(4)}}))
param_scheduler = [dict(type='StepLR', step_size=1000, gamma=0.33, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=8000, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=20)
