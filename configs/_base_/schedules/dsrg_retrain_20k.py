# DSRG, retraining (released code): SGD 1e-3, poly 0.9, 20,000 steps of 10 images
_base_ = './dsrg_8k.py'
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0., by_epoch=False)]
train_cfg = dict(max_iters=20000)
auto_scale_lr = dict(base_batch_size=10)
