# the same network and the 40 masks alone
_base_ = [
    '../_base_/models/unet_tiny.py', '../_base_/datasets/shapes.py',
    '../_base_/schedules/adamw_500i_scratch.py', '../_base_/default_runtime.py'
]
train_dataloader = dict(
    sampler=dict(source_ratio=[1]), dataset=dict(datasets=[_base_.strong]))
