# Chen et al., table 7, 9118+94k: the AnnNet of VOC makes the masks of COCO's boxed images, and a
# SegNet of VOC is fine-tuned with them
ann_net, tau = '../ann_net_hr48_voc.py', 0.9
stages = [
    dict(name='proposals', tool='generate_proposals.py', config='{ann_net}',
         options=dict(method='grabcut+region')),
    dict(name='ann_net_voc', tool='train.py', config='{ann_net}', masks='proposals'),
    dict(name='masks_voc', tool='generate_pseudo_masks.py', checkpoint='ann_net_voc',
         options=dict(tau='{tau}')),
    dict(name='seg_net_voc', tool='train.py', config='../mixed_dual_r101_voc.py',
         masks='masks_voc'),
    dict(name='masks_coco', tool='generate_pseudo_masks.py', checkpoint='ann_net_voc',
         config='../ann_net_hr48_voc_coco.py', options=dict(tau='{tau}')),
    dict(name='seg_net_coco', tool='train.py', config='../mixed_dual_r101_voc_coco_ft.py',
         masks=['masks_voc', 'masks_coco'], cfg_options={'load_from': '{seg_net_voc.checkpoint}'}),
    dict(name='test', tool='test.py', checkpoint='seg_net_coco'),
]
