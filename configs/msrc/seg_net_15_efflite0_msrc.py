# few masks: 15, and 270 pseudo masks
_base_ = './seg_net_efflite0_msrc.py'
strong = dict(_base_.strong, ann_file='ImageSets/Segmentation/train_strong15.txt')
weak = dict(
    _base_.weak, ann_file='ImageSets/Segmentation/train_weak15.txt', supervision='pseudo',
    pseudo_mask='PseudoMask_annnet_15')
train_dataloader = dict(dataset=dict(datasets=[strong, weak]))
