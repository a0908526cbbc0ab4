# DSRG, retrained over ResNet-101 (dual-branch, table 4: 10k weak (retrain))
_base_ = [
    '../_base_/models/deeplab_aspp_r101.py', '../_base_/datasets/voc_dsrg_masks.py',
    '../_base_/schedules/dsrg_retrain_20k.py', '../_base_/iter_runtime.py'
]
# as in dsrg_retrain_vgg16_voc.py
step_1 = 'work_dirs/dsrg_r101_voc/iter_8000.pth'
model = dict(
    backbone=dict(init_cfg=None),
    init_cfg=dict(type='Pretrained', checkpoint=step_1, override=dict(
        type='Pretrained', name='decode_head', checkpoint=step_1, prefix='decode_head.head')))
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.dsrg_masks, pseudo_mask='PseudoMask_dsrg_r101')]))
