# DSRG: seeds of RRM's classifier, which is trained alone; DSRG; its masks; DeepLabV3+ on them
truth = '{{$MSRC_ROOT:data/msrc}}/SegmentationClass'
stages = [
    dict(name='classifier', tool='train.py', config='../rrm_efflite0_msrc.py',
         cfg_options={'train_cfg.max_iters': 400, 'custom_hooks.0.share': 1}),
    dict(name='seeds', tool='generate_pseudo_masks.py', checkpoint='classifier',
         options=dict(seeds=[0.7, 0.06])),
    dict(name='dsrg', tool='train.py', config='../dsrg_efflite0_msrc.py', masks='seeds'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='dsrg',
         options=dict(tau=0, tag_gate=True, crf=True)),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{seeds}', '{masks}'],
         options=dict(truth='{truth}')),
    dict(name='two_step', tool='train.py', config='../dsrg_two_step_efflite0_msrc.py',
         masks='masks'),
    dict(name='test', tool='test.py', checkpoint='two_step'),
]
