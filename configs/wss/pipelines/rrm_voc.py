# RRM in two steps: its masks of 10,582 images with tags, and DeepLab on them
two_step_config = '../rrm_two_step_r101_voc.py'  # or ../rrm_two_step_vgg16_voc.py
truth = '{{$VOC_ROOT:data/VOCdevkit/VOC2012}}/SegmentationClassAug'
stages = [
    dict(name='rrm', tool='train.py', config='../rrm_r38_voc.py'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='rrm',
         options=dict(tau=0, tag_gate=True)),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{masks}'],
         options=dict(truth='{truth}')),
    dict(name='two_step', tool='train.py', config='{two_step_config}', masks='masks'),
    dict(name='test', tool='test.py', checkpoint='two_step'),
]
