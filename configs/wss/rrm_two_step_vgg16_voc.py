# RRM, two steps: DeepLab-LargeFOV over VGG16 on the masks of rrm_r38_voc.py
_base_ = [
    '../_base_/models/largefov_vgg16.py', '../_base_/datasets/voc_tags.py',
    '../_base_/epoch_runtime.py'
]
model = dict(data_preprocessor=dict(size=(321, 321)))
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
