# Mixed-dual-head, table 6: AnnNet with 83 masks
_base_ = './ann_net_hr48_voc.py'
strong = dict(_base_.strong, ann_file='ImageSets/Segmentation/train_strong83_v1_seed0.txt')
weak = dict(_base_.weak, ann_file='ImageSets/Segmentation/train_weak83_v1_seed0.txt')
train_dataloader = dict(dataset=dict(datasets=[strong, weak]))
