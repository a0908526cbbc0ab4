# Mixed dual head with box priors: 60 masks and 225 boxed images
_base_ = '../../_base_/pipelines/mixed_dual.py'
ann_net, seg_net = '../ann_net_efflite0_msrc.py', '../seg_net_efflite0_msrc.py'
truth = '{{$MSRC_ROOT:data/msrc}}/SegmentationClass'  # the weak images have some
