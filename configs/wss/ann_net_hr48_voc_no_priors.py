# Chen et al., table 2: AnnNet on the image alone
_base_ = [
    '../_base_/models/fcn_hr48.py', '../_base_/datasets/voc.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/sgd_60e.py'
]
method = 'annnet_no_priors'  # in the records of its masks
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.MixedDualHead', num_classes=21, mix_ratio=(7, 1),
    norm_cfg=_base_.norm_cfg, feature_head=_base_.model.decode_head))
weak = dict(pseudo_mask='PseudoMask_grabcut_region')
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, dict(_base_.weak, **weak)]))
optim_wrapper = dict(optimizer=dict(lr=0.0008))
