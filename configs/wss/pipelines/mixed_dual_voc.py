# Chen et al., Mixed-dual-head Meets Box Priors, section 3.4: 1464 masks and 9118 boxed images
proposals = dict(method='grabcut+region')
ann_net = dict(config='../ann_net_hr48_voc.py')
pseudo_masks = dict(tau=0.9)
rounds = 1  # table 6 goes to 4
seg_net = dict(config='../mixed_dual_r50_voc.py')
evaluation = dict(truth='{{$VOC_ROOT:data/VOCdevkit/VOC2012}}/SegmentationClassAug')  # SBD's masks
