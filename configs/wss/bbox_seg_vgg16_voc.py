# WSSL, table 3, Bbox-Seg (Weak): 10,582 images with masks that a CRF made from boxes
_base_ = './wssl_strong_vgg16_voc.py'
train_dataloader = dict(dataset=dict(datasets=[_base_.all_segments]))
