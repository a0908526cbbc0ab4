# RRM, two steps: DeepLab-v2 over ResNet-101 on the masks of rrm_r38_voc.py
_base_ = [
    '../_base_/models/deeplab_aspp_r101.py', '../_base_/datasets/voc_tags.py',
    '../_base_/epoch_runtime.py'
]
train_dataloader = dict(
    batch_size=10, sampler=dict(batch_size=10), dataset=dict(datasets=[_base_.rrm_masks]))

# DeepLab-v2's recipe: 20,000 steps of 10 images are 18.9 passes over 10,582
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0., custom_keys={
        'decode_head': dict(lr_mult=10.),
        **{f'decode_head.classifiers.{i}.bias': dict(lr_mult=20., decay_mult=0.)
           for i in range(4)}}))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, by_epoch=True,
         convert_to_iter_based=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=19, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(enable=True, base_batch_size=10)
