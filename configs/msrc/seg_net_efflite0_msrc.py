# SegNet: 60 masks and 225 pseudo masks of AnnNet, mixed dual head
_base_ = './mixed_dual_efflite0_msrc.py'
weak = dict(supervision='pseudo', pseudo_mask='PseudoMask_annnet')
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, dict(_base_.weak, **weak)]))
