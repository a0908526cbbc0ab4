# Luo and Yang, strong-weak dual-branch, table 4: 1.4k strong, 9k weak, three shared convolutions
_base_ = [
    '../_base_/models/dual_branch_r101.py', '../_base_/datasets/voc_crop328.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/adam_20e.py'
]
train_dataloader = dict(
    batch_size=16, sampler=dict(batch_size=16),
    dataset=dict(datasets=[_base_.strong, _base_.weak]))
