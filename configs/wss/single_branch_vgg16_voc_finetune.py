# dual-branch, supplement, section 2: trained on 10k weak images, then fine-tuned on 1.4k strong ones
_base_ = './single_branch_vgg16_voc_strong.py'
load_from = 'work_dirs/single_branch_vgg16_voc_weak/epoch_20.pth'
