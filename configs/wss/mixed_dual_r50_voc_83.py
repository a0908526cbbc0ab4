# Mixed-dual-head, tables 5 and 6: SegNet with 83 masks
_base_ = './mixed_dual_r50_voc.py'
strong = dict(_base_.strong, ann_file='ImageSets/Segmentation/train_strong83_v1_seed0.txt')
weak = dict(_base_.weak, ann_file='ImageSets/Segmentation/train_weak83_v1_seed0.txt')
train_dataloader = dict(dataset=dict(datasets=[strong, weak]))
