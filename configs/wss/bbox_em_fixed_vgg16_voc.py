# WSSL, table 3, Bbox-EM-Fixed (Weak): 10,582 images with boxes
_base_ = './wssl_strong_vgg16_voc.py'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='box', bias_bg=5., bias_fg=6.), loss_weights=(1., 1.)))
train_dataloader = dict(dataset=dict(datasets=[_base_.all_boxes]))
