# dual-branch, table 6 (b): COCO, single branch, 20k strong + 98k weak
_base_ = './single_branch_vgg16_coco_strong.py'
train_dataloader = dict(
    sampler=dict(source_ratio=[20000, 98287]),
    dataset=dict(datasets=[_base_.coco_strong, _base_.coco_weak]))
