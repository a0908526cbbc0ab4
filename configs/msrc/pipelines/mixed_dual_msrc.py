# AnnNet with box priors makes the pseudo masks of 225 boxed images for SegNet
proposals = dict(method='grabcut+region')
ann_net = dict(config='../ann_net_efflite0_msrc.py')
pseudo_masks = dict(tau=0.9)
rounds = 1
seg_net = dict(config='../seg_net_efflite0_msrc.py')
evaluation = dict(truth='{{$MSRC_ROOT:data/msrc}}/SegmentationClass')  # the weak images have some
