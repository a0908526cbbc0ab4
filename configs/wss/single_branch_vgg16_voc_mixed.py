# table 4 of the dual-branch paper: single branch, 1.4k strong + 9k weak
_base_ = './single_branch_vgg16_voc_strong.py'
train_dataloader = dict(
    sampler=dict(source_ratio=[1464, 9118]),
    dataset=dict(datasets=[_base_.strong, _base_.weak]))
