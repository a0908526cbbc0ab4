# a trained network goes on
_base_ = './adamw_1500i.py'
optim_wrapper = dict(optimizer=dict(lr=2e-4))
max_iters = 300
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_iters)]
train_cfg = dict(max_iters=max_iters)
