# EM-Fixed: 285 images with tags alone
_base_ = '../_base_/efflite0-d8_msrc_tags.py'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead',
    e_step=dict(type='fixed', bias_bg=3., bias_fg=5.), loss_weights=(1., 1.),
    # A classifier and nothing else, as in the paper: new layers below it know where the image
    # ends before they know an object, and EM then finds all objects at the borders.
    head=dict(
        type='FCNHead', in_channels=320, in_index=0, channels=320, num_convs=0,
        concat_input=False, dropout_ratio=0., num_classes=16,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        # From 0 all pixels of an image start as its last class, so what is learned first is what
        # tells its images from others. A random start is as likely to take ground for figure.
        init_cfg=dict(type='Normal', std=0., override=dict(name='conv_seg')))))
# The classifier learns what the features of ImageNet say before these change.
optim_wrapper = dict(optimizer=dict(lr=1e-5), paramwise_cfg=dict(
    custom_keys={'decode_head': dict(lr_mult=100.)}))
max_iters = 300
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_iters)]
train_cfg = dict(max_iters=max_iters)
