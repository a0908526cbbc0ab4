# RRM: 285 images with tags alone; the classifier alone for 400 of 700 steps
_base_ = '../_base_/efflite0-d8_msrc_tags.py'
method = 'rrm_efflite0'  # in the records of its masks
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.RRMHead', in_channels=320, in_index=0, channels=128,
    num_classes=16, dilation=6, predict_tags=True,
    # The released rule's objects are less sure here than the maps' own: see docs/results.md.
    labels=dict(rule='paper'),
    scales=(0.5, 1., 1.5),  # without the paper's 2, which would cost 5 s of a CPU per step
    # With this weight the energy starts near -0.47, as in RRM's training. (4e-7, which is RRM's
    # 1e-7 by the number of pixels, makes it -1.3, and small objects vanish.)
    loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', loss_weight=1.5e-7)))
max_iters = 700
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_iters)]
train_cfg = dict(max_iters=max_iters)
custom_hooks = [  # the first one: a stage of pipelines/dsrg_msrc.py sets its share
    dict(type='mmseg_wss.ClassifyFirstHook', share=400 / max_iters), *_base_.custom_hooks]
val_evaluator = [_base_.val_evaluator, dict(type='mmpretrain.AveragePrecision')]
test_evaluator = val_evaluator
