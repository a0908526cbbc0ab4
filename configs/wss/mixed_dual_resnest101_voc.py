# Chen et al., Mixed-dual-head Meets Box Priors, table 1: SegNet over ResNeSt-101
_base_ = './mixed_dual_r50_voc.py'
model = dict(
    pretrained='open-mmlab://resnest101',
    backbone=dict(type='ResNeSt', depth=101, stem_channels=128, radix=2, reduction_factor=4,
                  avg_down_stride=True))
