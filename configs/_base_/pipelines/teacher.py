# A network of the masks alone makes masks of the weak images, as its judgement on the strong ones
# says; a second network learns from both. A file on this base states teacher_config,
# student_config, the kinds of labels that its weak images have, and truth.
stages = [
    dict(name='judge', tool='judge_masks.py', config='{teacher_config}',
         options=dict(kinds='{kinds}')),
    dict(name='teacher', tool='train.py', config='{teacher_config}'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='teacher',
         images='{student_config}', options=dict(judge='{judge}/judge.json')),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{masks}'],
         options=dict(truth='{truth}')),
    dict(name='student', tool='train.py', config='{student_config}', masks='masks'),
    dict(name='test', tool='test.py', checkpoint='student'),
]
