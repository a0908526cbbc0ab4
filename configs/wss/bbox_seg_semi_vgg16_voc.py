# WSSL, table 3, Bbox-Seg (Semi): 1464 images with masks, 9118 with masks that a CRF made from boxes
_base_ = './em_fixed_semi_vgg16_voc.py'
model = dict(decode_head=dict(e_step=dict(_delete_=True, type='mask')))
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, _base_.weak_segments]))
