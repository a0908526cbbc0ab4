# WSSL, table 5, Cross-Pretrain (Strong): the network of wssl_full_vgg16_coco.py, fine-tuned on VOC;
# its classifier does not fit and is left out, as the log says
_base_ = './wssl_full_vgg16_voc.py'
load_from = 'work_dirs/wssl_full_vgg16_coco/iter_6000.pth'
