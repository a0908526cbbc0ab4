# Bbox-EM-Fixed: 285 images with boxes
_base_ = './bbox_rect_efflite0_msrc.py'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='box', bias_bg=5., bias_fg=6.), loss_weights=(1., 1.)))
