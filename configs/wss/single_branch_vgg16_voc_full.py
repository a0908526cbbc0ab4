# table 4 of the dual-branch paper: single branch, 10k strong
_base_ = './single_branch_vgg16_voc_mixed.py'
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, _base_.weak_as_strong]))
