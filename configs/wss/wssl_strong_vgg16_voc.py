# WSSL, tables 1 and 3, Strong: 1464 images with masks
_base_ = [
    '../_base_/models/largefov_vgg16.py', '../_base_/datasets/voc_crop321.py',
    '../_base_/iter_runtime.py', '../_base_/schedules/sgd_6k.py'
]
model = dict(data_preprocessor=dict(size=_base_.crop_size))
train_dataloader = dict(dataset=dict(datasets=[_base_.strong]))
