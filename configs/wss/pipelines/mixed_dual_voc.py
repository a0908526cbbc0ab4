# Chen et al., Mixed-dual-head Meets Box Priors, section 3.4: 1464 masks and 9118 boxed images;
# masks_0: proposals. Table 6 goes to 4 rounds.
ann_net, seg_net = '../ann_net_hr48_voc.py', '../mixed_dual_r50_voc.py'
tau, rounds = 0.9, 1
truth = '{{$VOC_ROOT:data/VOCdevkit/VOC2012}}/SegmentationClassAug'  # SBD's masks
stages = [
    dict(name='masks_0', tool='generate_proposals.py', config='{ann_net}',
         options=dict(method='grabcut+region')),
    dict(repeat='{rounds}', stages=[
        dict(name='ann_net_{round}', tool='train.py', config='{ann_net}', masks='masks_{before}'),
        dict(name='masks_{round}', tool='generate_pseudo_masks.py', checkpoint='ann_net_{round}',
             options=dict(tau='{tau}')),
        dict(name='quality_{round}', tool='analysis_tools/mask_report.py',
             args=['{masks_0}', '{masks_{round}}'], options=dict(truth='{truth}')),
    ]),
    dict(name='seg_net_{rounds}', tool='train.py', config='{seg_net}', masks='masks_{rounds}'),
    dict(name='test_{rounds}', tool='test.py', checkpoint='seg_net_{rounds}'),
]
