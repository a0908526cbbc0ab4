# WSSL, table 5, Cross-Pretrain (Strong), first part: COCO's 118,287 images with masks
_base_ = ['./wssl_strong_vgg16_voc.py', '../_base_/datasets/coco_semantic.py']
model = dict(decode_head=dict(num_classes=81))
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.coco_strong, pipeline=_base_.train_pipeline)]))
val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.coco_val, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
