# WSSL, table 5, Cross-Joint (Strong): VOC's 10,582 and COCO's 118,287 images with masks, 15 + 15 in
# a batch
_base_ = ['./wssl_full_vgg16_voc.py', '../_base_/datasets/coco_semantic.py']
# VOC's classes among COCO's; the background is whatever VOC has no name for
shared = [5, 2, 15, 9, 40, 6, 3, 16, 57, 20, 61, 17, 18, 4, 1, 59, 19, 58, 7, 63]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.CrossJointHead',
    head=dict(_base_.model.decode_head, num_classes=81),
    groups=[sorted(set(range(81)) - set(shared)), *([i] for i in shared)]))
train_dataloader = dict(
    batch_size=30, sampler=dict(batch_size=30, source_ratio=[1, 1]),
    dataset=dict(
        ignore_keys=['classes', 'palette'],  # they differ, on purpose
        datasets=[_base_.all_strong, dict(_base_.coco_strong, pipeline=_base_.train_pipeline)]))
auto_scale_lr = dict(base_batch_size=30)
