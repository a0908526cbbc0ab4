# WSSL, table 5, Cross-Joint (Semi): VOC's 10,582 images and 5000 of COCO with masks, the rest of
# COCO with tags; lists: docs/full_size_data.md, --strong 5000
_base_ = './cross_joint_vgg16_voc_coco.py'
coco_strong = dict(
    _base_.coco_strong, image_list='ImageSets/train_strong5000_v1_seed0.txt',
    pipeline=_base_.train_pipeline)
coco_tags = dict(
    _base_.coco_tags, image_list='ImageSets/train_weak5000_v1_seed0.txt',
    pipeline=_base_.tags_pipeline)
model = dict(decode_head=dict(head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head.head,
    e_step=dict(type='fixed', bias_bg=3., bias_fg=5.), loss_weights=(0.7, 0.3))))
train_dataloader = dict(
    sampler=dict(source_ratio=[2, 1, 1]),
    dataset=dict(datasets=[_base_.all_strong, coco_strong, coco_tags]))
