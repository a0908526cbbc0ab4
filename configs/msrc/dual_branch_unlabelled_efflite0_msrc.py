# 60 masks and 225 images without a label, whose masks another network makes: dual branch
_base_ = './dual_branch_efflite0_msrc.py'
unlabelled = dict(
    _base_.weak, supervision='none', masks=dict(type='folder', path='PseudoMask_teacher'))
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, unlabelled]))
