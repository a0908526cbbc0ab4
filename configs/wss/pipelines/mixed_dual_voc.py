# Mixed-dual-head, table 6: 1464 masks and 9118 boxed images
_base_ = '../../_base_/pipelines/mixed_dual.py'
ann_net, seg_net = '../ann_net_hr48_voc.py', '../mixed_dual_r50_voc.py'
truth = '{{$VOC_ROOT:data/VOCdevkit/VOC2012}}/SegmentationClassAug'  # SBD's masks
