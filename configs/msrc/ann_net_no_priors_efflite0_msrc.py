# ablation of ann_net_efflite0_msrc.py: the image alone, without box priors
_base_ = './seg_net_efflite0_msrc.py'
method = 'annnet_no_priors'  # in the records of its masks
weak = dict(pseudo_mask='PseudoMask_grabcut_region')
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, dict(_base_.weak, **weak)]))
