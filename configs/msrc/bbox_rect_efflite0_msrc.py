# Bbox-Rect: 285 images with boxes painted as masks
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
boxes = dict(_base_.weak, ann_file='ImageSets/Segmentation/trainaug.txt')
train_dataloader = dict(sampler=dict(source_ratio=[1]), dataset=dict(datasets=[boxes]))
