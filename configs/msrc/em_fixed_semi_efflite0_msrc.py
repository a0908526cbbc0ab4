# EM-Fixed: 60 images with masks and 225 with tags
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc_tags.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='fixed', bias_bg=3., bias_fg=5.), loss_weights=(0.7, 0.3)))
weak_tags = dict(_base_.tags, ann_file='ImageSets/Segmentation/train_weak60.txt')
train_dataloader = dict(
    sampler=dict(source_ratio=[1, 1]), dataset=dict(datasets=[_base_.strong, weak_tags]))
