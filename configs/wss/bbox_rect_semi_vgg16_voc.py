# WSSL, table 3, Bbox-Rect (Semi): 1464 images with masks, 9118 with boxes painted as masks
_base_ = './wssl_strong_vgg16_voc.py'
train_dataloader = dict(
    batch_size=30, sampler=dict(batch_size=30, source_ratio=[1, 1]),
    dataset=dict(datasets=[_base_.strong, _base_.weak_boxes]))
auto_scale_lr = dict(base_batch_size=30)
