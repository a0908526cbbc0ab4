# few masks: 15, and 270 proposal masks
_base_ = './ann_net_efflite0_msrc.py'
strong = dict(_base_.strong, ann_file='ImageSets/Segmentation/train_strong15.txt')
weak = dict(_base_.weak, ann_file='ImageSets/Segmentation/train_weak15.txt')
train_dataloader = dict(dataset=dict(datasets=[strong, weak]))
