# ablation of ann_net_efflite0_msrc.py: the image alone, without box priors
_base_ = './seg_net_efflite0_msrc.py'
weak = dict(pseudo_mask='ProposalMask')
train_dataloader = dict(dataset=dict(datasets=[_base_.strong, dict(_base_.weak, **weak)]))
