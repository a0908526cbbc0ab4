# 60 masks and 225 images without a label, whose masks other networks make: dual branch
_base_ = ['./dual_branch_efflite0_msrc.py', '../_base_/datasets/strong_augmentation.py']
custom_imports = dict(imports=[
    *_base_.custom_imports.imports, 'mmpretrain.datasets.transforms'])
train_pipeline = _base_.train_pipeline
unlabelled = dict(
    _base_.weak, supervision='none', masks=dict(type='folder', path='PseudoMask_teacher'),
    pipeline=[*train_pipeline[:-2], *_base_.strong_augmentation, train_pipeline[-1]])
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, unlabelled]))
