# Chen et al., table 7, 9118+94k: the network of ann_net_hr48_voc.py over COCO's images. Trained on
# VOC it makes their pseudo masks (docs/boxes.md); only to train it here do they need proposals
_base_ = ['./ann_net_hr48_voc.py', '../_base_/datasets/voc_coco.py']
coco = dict(
    _base_.coco, pseudo_mask='PseudoMask_grabcut_region', with_boxes=True,
    pipeline=_base_.train_pipeline)
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, coco]))
