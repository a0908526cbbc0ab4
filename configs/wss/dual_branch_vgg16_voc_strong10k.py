# dual-branch, table 4: 1.4k strong images, and all 10k with their true masks in the weak branch
_base_ = './dual_branch_vgg16_voc.py'
model = dict(decode_head=dict(strong_in_weak_branch=True))
weak = dict(_base_.weak, pseudo_mask='SegmentationClassAug')  # 'pseudo': for the weak branch alone
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, weak]))
