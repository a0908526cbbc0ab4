# table 4 of the dual-branch paper: single branch, 1.4k strong
_base_ = [
    '../_base_/models/dual_branch_vgg16.py', '../_base_/datasets/voc_crop328.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/adam_20e.py'
]
model = dict(decode_head=dict(weak_branch=False))
train_dataloader = dict(
    batch_size=16, sampler=dict(batch_size=16, source_ratio=[1]),
    dataset=dict(datasets=[_base_.strong]))
