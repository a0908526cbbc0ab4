# Bbox-EM-Fixed: 285 images with boxes; bbox_rect_efflite0_msrc.py goes on. A new network would
# learn that most pixels are background before it knows an object; EM then finds none in the boxes.
_base_ = './bbox_rect_efflite0_msrc.py'
load_from = 'work_dirs/bbox_rect_efflite0_msrc/iter_1500.pth'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='box', bias_bg=5., bias_fg=6.), loss_weights=(1., 1.)))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
max_iters = 300
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=0., begin=50, end=max_iters, by_epoch=False),
]
train_cfg = dict(max_iters=max_iters)
