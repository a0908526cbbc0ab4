# dual-branch, supplement, table 2: with the divergence between both branches
_base_ = './dual_branch_vgg16_voc.py'
model = dict(decode_head=dict(strong_in_weak_branch=True, kl_weight=1.))
