# DeepLab-MSc: the image and the first four pools of VGG16 beside its last map. Only what is new is
# trained. For a config that has largefov_vgg16.py and its schedule already.
msc_backbone = dict(out_indices=(0, 1, 2, 3, 5), with_image=True)
msc_head = dict(
    type='mmseg_wss.DeepLabMScHead', in_channels=(3, 64, 128, 256, 512, 1024),
    in_index=(0, 1, 2, 3, 4, 5), early_strides=(8, 4, 2, 1, 1), num_classes=21,
    loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
rests = dict(lr_mult=0., decay_mult=0.)
msc_rates = {'backbone': rests, 'conv_seg': rests, 'conv_seg.bias': rests,
             'early_classifiers': dict(lr_mult=10.)}
