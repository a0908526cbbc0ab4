# Chen et al., Mixed-dual-head Meets Box Priors, table 1: SegNet over ResNet-101
_base_ = './mixed_dual_r50_voc.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
