# DSRG on COCO, step 1: the masks of dual-branch's table 6; the recipe is not stated: VOC's
_base_ = ['./dsrg_vgg16_voc.py', '../_base_/datasets/coco_semantic.py']
model = dict(decode_head=dict(head=dict(num_classes=81)))
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.coco_tags, supervision='pseudo', pseudo_mask='Seeds_dsrg',
         pipeline=_base_.warped_pipeline)]))
val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.coco_val, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
