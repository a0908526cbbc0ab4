# Chen et al., Mixed-dual-head Meets Box Priors, table 1: SegNet on 1464 masks and 9118 pseudo masks
_base_ = [
    '../_base_/models/deeplabv3plus_r50-d8.py', '../_base_/datasets/voc.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/sgd_60e.py'
]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=21, mix_ratio=(7, 1),
    norm_cfg=_base_.norm_cfg, feature_head=_base_.model.decode_head))
