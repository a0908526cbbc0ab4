# the paper's single-head (figure 5a, table 4): one head for strong and pseudo masks alike
_base_ = [
    '../_base_/models/deeplabv3plus_r50-d8.py', '../_base_/datasets/voc.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/sgd_60e.py'
]
model = dict(decode_head=dict(  # SegNet's layers: it is the same network at inference
    _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=21, mix_ratio=None,
    weak_branch=False, norm_cfg=_base_.norm_cfg, feature_head=_base_.model.decode_head))
train_dataloader = dict(sampler=dict(source_ratio=[1464, 9118]))
