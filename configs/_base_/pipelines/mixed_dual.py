# Chen et al., Mixed-dual-head Meets Box Priors, section 3.4: AnnNet makes the pseudo masks of boxed
# images for SegNet; masks_0: proposals. A file on this base states ann_net, seg_net and truth.
tau, rounds = 0.9, 1  # table 6 goes to 4 rounds
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
