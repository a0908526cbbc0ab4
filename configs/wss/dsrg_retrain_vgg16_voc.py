# DSRG, retrained on its masks of step 1 (dual-branch, table 4: VGG16, 10k weak (retrain))
_base_ = [
    '../_base_/models/deeplab_aspp_vgg16.py', '../_base_/datasets/voc_dsrg_masks.py',
    '../_base_/schedules/dsrg_retrain_20k.py', '../_base_/iter_runtime.py'
]
# It goes on from the end of dsrg_vgg16_voc.py: set step_1 where that lies elsewhere. load_from
# would not find the head, which is inside DSRGHead there.
step_1 = 'work_dirs/dsrg_vgg16_voc/iter_8000.pth'
model = dict(
    backbone=dict(init_cfg=None),
    init_cfg=dict(type='Pretrained', checkpoint=step_1, override=dict(
        type='Pretrained', name='decode_head', checkpoint=step_1, prefix='decode_head.head')))
