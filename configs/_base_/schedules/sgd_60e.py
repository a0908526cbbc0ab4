# mixed-dual-head, section 4.2: SGD 0.004, momentum 0.9, poly 0.9, batch 32, 60 epochs
optim_wrapper = dict(
    type='OptimWrapper',
    # the paper does not state a weight decay: mmseg's for this network
    optimizer=dict(type='SGD', lr=0.004, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, by_epoch=True,
         convert_to_iter_based=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=60, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=32)
