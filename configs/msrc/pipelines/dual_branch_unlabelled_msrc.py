# 60 masks and 225 unlabelled images: three networks of the masks, masks by their mean, dual branch
teacher_config = '../single_strong_efflite0_msrc.py'
student_config = '../dual_branch_unlabelled_efflite0_msrc.py'
truth = '{{$MSRC_ROOT:data/msrc}}/SegmentationClass'  # the weak images have some
tau = 0.8  # the mean of three keeps as much above it as one of them above 0.9
stages = [
    dict(name='teacher', tool='train.py', config='{teacher_config}'),
    dict(name='teacher_1', tool='train.py', config='{teacher_config}',
         cfg_options={'randomness.seed': 1}),
    dict(name='teacher_2', tool='train.py', config='{teacher_config}',
         cfg_options={'randomness.seed': 2}),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='teacher',
         images='{student_config}', options=dict(
             tau='{tau}', average_with=['{teacher_1.checkpoint}', '{teacher_2.checkpoint}'])),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{masks}'],
         options=dict(truth='{truth}')),
    dict(name='student', tool='train.py', config='{student_config}', masks='masks',
         cfg_options={'load_from': '{teacher.checkpoint}'}),
    dict(name='test', tool='test.py', checkpoint='student'),
]
