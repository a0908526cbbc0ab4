# COCO 2017's images of VOC's classes, beside the sources of voc.py (a config with this base names
# them all); set COCO_ROOT where it lies elsewhere
coco = dict(  # about 94 000 images, with AnnNet's masks
    type='mmseg_wss.COCOWeakSegDataset', data_root='{{$COCO_ROOT:data/coco}}', supervision='pseudo',
    pseudo_mask='PseudoMask_annnet', ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img_path='train2017'), empty='unlabelled')  # images without objects: left out
