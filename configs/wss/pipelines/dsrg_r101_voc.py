# DSRG over ResNet-101, with the seeds of VGG16's classifier
_base_ = './dsrg_vgg16_voc.py'
dsrg, retrain = '../dsrg_r101_voc.py', '../dsrg_retrain_r101_voc.py'
