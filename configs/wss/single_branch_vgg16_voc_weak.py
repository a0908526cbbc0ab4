# dual-branch, figure 5 and supplement, section 2: single branch, 10k weak
_base_ = './single_branch_vgg16_voc_strong.py'
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.weak, ann_file='ImageSets/Segmentation/trainaug.txt')]))
