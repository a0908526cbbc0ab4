# upper reference: one branch, masks for all 285 images
_base_ = './single_strong_efflite0_msrc.py'
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.strong, ann_file='ImageSets/Segmentation/trainaug.txt')]))
