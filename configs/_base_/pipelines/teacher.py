# A network of the masks alone makes masks of the weak images, as its judgement on the strong ones
# says; a second network learns from both. With rounds=3, that one makes masks for a third, and so
# on, as long as the judge finds them better. A file on this base states teacher_config,
# student_config, the kinds of labels that its weak images have, and truth.
rounds = 1
stages = [
    dict(name='judge', tool='judge_masks.py', config='{teacher_config}',
         options=dict(kinds='{kinds}')),
    dict(name='teacher', tool='train.py', config='{teacher_config}'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='teacher',
         images='{student_config}', options=dict(judge='{judge}/judge.json')),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{masks}'],
         options=dict(truth='{truth}')),
    dict(name='student', tool='train.py', config='{student_config}', masks='masks'),
    dict(repeat='{rounds}', first=2, while_better=['judge{_before}', 'judge{_round}'], stages=[
        dict(name='judge{_round}', tool='judge_masks.py', config='{student_config}',
             masks='masks{_before}', options=dict(kinds='{kinds}', reference='{judge}')),
        dict(name='masks{_round}', tool='generate_pseudo_masks.py', checkpoint='student{_before}',
             options=dict(judge='{judge{_round}}/judge.json')),
        dict(name='quality{_round}', tool='analysis_tools/mask_report.py',
             args=['{masks{_round}}'], options=dict(truth='{truth}')),
        dict(name='student{_round}', tool='train.py', config='{student_config}',
             masks='masks{_round}'),
    ]),
    dict(name='test{_last}', tool='test.py', checkpoint='student{_last}'),
]
