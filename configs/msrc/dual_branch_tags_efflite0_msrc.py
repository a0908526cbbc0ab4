# 60 masks and 225 images with tags, whose masks another network makes: dual branch
_base_ = './dual_branch_efflite0_msrc.py'
tags = dict(
    _base_.weak, supervision='image', masks=dict(type='folder', path='PseudoMask_teacher'))
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, tags]))
