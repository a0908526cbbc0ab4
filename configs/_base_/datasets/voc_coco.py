# COCO 2017's images of VOC's classes, beside the sources of voc.py (a config with this base names
# them all); set COCO_ROOT where it lies elsewhere
coco = dict(  # about 94 000 images, with masks that a program made
    type='mmseg_wss.COCOWeakSegDataset', data_root='{{$COCO_ROOT:data/coco}}', supervision='pseudo',
    pseudo_mask='PseudoMask', ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img_path='train2017'))
