# EM-Fixed: 60 images with masks and 225 with tags
_base_ = './em_fixed_efflite0_msrc.py'
weak_tags = dict(_base_.tags, ann_file='ImageSets/Segmentation/train_weak60.txt')
model = dict(decode_head=dict(loss_weights=(0.7, 0.3)))
train_dataloader = dict(
    sampler=dict(source_ratio=[1, 1]), dataset=dict(datasets=[_base_.strong, weak_tags]))
