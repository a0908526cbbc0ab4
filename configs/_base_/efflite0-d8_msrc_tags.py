# Tags alone on MSRC: EfficientNet-Lite0 at output stride 8, with the statistics and, almost, the
# weights of ImageNet, since what tells one object from another is there. A head reads its last
# features, 320 channels.
_base_ = [
    './models/deeplabv3plus_efflite0.py', './datasets/msrc_tags.py', './default_runtime.py',
    './schedules/adamw_1500i.py'
]
model = dict(frozen_norm=True, backbone=dict(output_stride=8, out_indices=(4, )))
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(
    custom_keys={'decode_head': dict(lr_mult=10.)}))
