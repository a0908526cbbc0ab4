# WSSL, table 6, Cross-Pretrain (Strong, multi-scale net): goes on from cross_pretrain_vgg16_voc.py
_base_ = ['./cross_pretrain_vgg16_voc.py', '../_base_/models/vgg16_msc.py']
model = dict(
    backbone=_base_.msc_backbone, decode_head=dict(_base_.msc_head, _delete_=True))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=_base_.msc_rates))
load_from = 'work_dirs/cross_pretrain_vgg16_voc/iter_6000.pth'
