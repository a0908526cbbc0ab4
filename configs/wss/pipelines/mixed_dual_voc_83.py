# Mixed-dual-head, table 6: 83 masks and 10,499 boxed images
_base_ = './mixed_dual_voc.py'
ann_net, seg_net = '../ann_net_hr48_voc_83.py', '../mixed_dual_r50_voc_83.py'
