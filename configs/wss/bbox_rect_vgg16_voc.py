# WSSL, table 3, Bbox-Rect (Weak): 10,582 images with boxes painted as masks
_base_ = './wssl_strong_vgg16_voc.py'
train_dataloader = dict(dataset=dict(datasets=[_base_.all_boxes]))
