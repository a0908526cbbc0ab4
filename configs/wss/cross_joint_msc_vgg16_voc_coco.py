# WSSL, table 6, Cross-Joint (Strong, multi-scale net): goes on from cross_joint_vgg16_voc_coco.py
_base_ = ['./cross_joint_vgg16_voc_coco.py', '../_base_/models/vgg16_msc.py']
model = dict(backbone=_base_.msc_backbone, decode_head=dict(
    head=dict(_base_.msc_head, _delete_=True, num_classes=81)))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=_base_.msc_rates))
load_from = 'work_dirs/cross_joint_vgg16_voc_coco/iter_6000.pth'
