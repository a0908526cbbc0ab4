# RRM in two steps: its masks of 285 images with tags, and DeepLabV3+ on them
truth = '{{$MSRC_ROOT:data/msrc}}/SegmentationClass'
stages = [
    dict(name='rrm', tool='train.py', config='../rrm_efflite0_msrc.py'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='rrm',
         options=dict(tau=0, tag_gate=True)),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{masks}'],
         options=dict(truth='{truth}')),
    dict(name='two_step', tool='train.py', config='../rrm_two_step_efflite0_msrc.py',
         masks='masks'),
    dict(name='test', tool='test.py', checkpoint='two_step'),
]
