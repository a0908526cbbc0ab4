# a trained network goes on
_base_ = './adamw_1500i.py'
optim_wrapper = dict(optimizer=dict(lr=2e-4))
train_cfg = dict(max_iters=300)
