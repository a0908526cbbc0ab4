# baseline: one branch, the 60 masks alone
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
train_dataloader = dict(
    sampler=dict(source_ratio=[1]), dataset=dict(datasets=[_base_.strong]))
