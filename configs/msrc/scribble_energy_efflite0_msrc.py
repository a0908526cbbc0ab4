# 285 images with scribbles: scribble_ce_efflite0_msrc.py goes on, with the dense energy
_base_ = './scribble_ce_efflite0_msrc.py'
load_from = 'work_dirs/scribble_ce_efflite0_msrc/iter_1500.pth'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DenseEnergyHead', head=_base_.model.decode_head,
    loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', formulation='paper', loss_weight=0.1)))
optim_wrapper = dict(optimizer=dict(lr=2e-4))
max_iters = 300
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type='PolyLR', power=0.9, eta_min=0., begin=50, end=max_iters, by_epoch=False),
]
train_cfg = dict(max_iters=max_iters)
