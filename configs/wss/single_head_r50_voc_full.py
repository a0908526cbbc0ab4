# "Fully Supervised" of table 1: 10582 images with masks
_base_ = './single_head_r50_voc.py'
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, _base_.weak_as_strong]))
