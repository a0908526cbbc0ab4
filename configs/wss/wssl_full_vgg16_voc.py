# WSSL, tables 1 and 3, Strong: 10,582 images with masks
_base_ = './wssl_strong_vgg16_voc.py'
train_dataloader = dict(dataset=dict(datasets=[_base_.all_strong]))
