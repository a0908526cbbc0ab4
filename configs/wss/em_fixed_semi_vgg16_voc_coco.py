# WSSL, table 5, EM-Fixed (Semi): VOC's 10,582 images with masks, COCO's with tags of VOC's classes
_base_ = ['./em_fixed_semi_vgg16_voc.py', '../_base_/datasets/voc_coco.py']
coco_tags = dict(_base_.coco, supervision='image', pseudo_mask=None, pipeline=_base_.tags_pipeline)
train_dataloader = dict(dataset=dict(datasets=[_base_.all_strong, coco_tags]))
