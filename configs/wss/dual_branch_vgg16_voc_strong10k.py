# dual-branch, table 4: 1.4k strong images, and all 10k with their true masks in the weak branch
_base_ = './dual_branch_vgg16_voc.py'
model = dict(decode_head=dict(strong_in_weak_branch=True))
weak = dict(  # 'pseudo': for the weak branch alone
    _base_.weak, pseudo_mask='SegmentationClassAug', made_by=None)
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, weak]))
