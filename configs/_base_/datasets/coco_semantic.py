# COCO 2017 as 81 classes, with the masks of tools/dataset_converters/coco_semantic.py, beside the
# sources of a base for VOC; set COCO_ROOT where it lies elsewhere
coco_root = '{{$COCO_ROOT:data/coco}}'
coco_strong = dict(  # 118,287 images
    type='mmseg_wss.COCOWeakSegDataset', data_root=coco_root, supervision='pixel',
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img_path='train2017', seg_map_path='semantic_train2017'),
    metainfo=dict(classes=f'{coco_root}/semantic_train2017/classes.txt'))
coco_tags = dict(coco_strong, supervision='image')
coco_val = dict(
    coco_strong, ann_file='annotations/instances_val2017.json', test_mode=True,
    data_prefix=dict(img_path='val2017', seg_map_path='semantic_val2017'))
