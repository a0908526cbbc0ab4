# supplement, section 2: single branch, 10k weak (single_branch_vgg16_voc_weak.py), then 1.4k strong
_base_ = './single_branch_vgg16_voc_strong.py'
load_from = 'work_dirs/single_branch_vgg16_voc_weak/epoch_20.pth'
