# DSRG: classifier, seeds, DSRG, masks of 10,582 images, retraining from DSRG (dual-branch, table 4)
dsrg, retrain = '../dsrg_vgg16_voc.py', '../dsrg_retrain_vgg16_voc.py'
truth = '{{$VOC_ROOT:data/VOCdevkit/VOC2012}}/SegmentationClassAug'
stages = [
    dict(name='classifier', tool='train.py', config='../dsrg_cam_vgg16_voc.py'),
    dict(name='seeds', tool='generate_pseudo_masks.py', checkpoint='classifier',
         options=dict(seeds=[0.2, 0.06])),
    dict(name='step_1', tool='train.py', config='{dsrg}', masks='seeds'),
    dict(name='masks', tool='generate_pseudo_masks.py', checkpoint='step_1',
         options=dict(tta=True, tau=0, tag_gate=True, crf=True)),
    dict(name='quality', tool='analysis_tools/mask_report.py', args=['{seeds}', '{masks}'],
         options=dict(truth='{truth}')),
    dict(name='step_2', tool='train.py', config='{retrain}', masks='masks', cfg_options={
        'model.init_cfg.checkpoint': '{step_1.checkpoint}',
        'model.init_cfg.override.checkpoint': '{step_1.checkpoint}'}),
    dict(name='test', tool='test.py', checkpoint='step_2'),
]
