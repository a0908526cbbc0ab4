# DeepLab's network with the small field of view, which WSSL has for tags alone
_base_ = './largefov_vgg16.py'
model = dict(
    backbone=dict(fc_channels=4096, fc6_kernel_size=4, fc6_dilation=4),
    decode_head=dict(in_channels=4096, channels=4096))
