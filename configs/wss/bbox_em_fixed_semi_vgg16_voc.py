# WSSL, table 3, Bbox-EM-Fixed (Semi): 1464 images with masks and 9118 with boxes
_base_ = './em_fixed_semi_vgg16_voc.py'
model = dict(decode_head=dict(
    e_step=dict(_delete_=True, type='box', bias_bg=5., bias_fg=6.)))
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, _base_.weak_boxes]))
