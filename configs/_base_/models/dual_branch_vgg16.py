# strong-weak dual branch over VGG16, three shared convolutions
_base_ = './largefov_vgg16.py'
model = dict(
    backbone=dict(out_indices=(4, )),  # the neck has the convolutions that fc6 and fc7 were
    decode_head=dict(
        _delete_=True, type='mmseg_wss.DualBranchHead', num_classes=21, num_shared_convs=3,
        feature_head=dict(type='FCNHead', in_channels=512, in_index=0, channels=512, num_convs=0,
                          concat_input=False, dropout_ratio=0.)))
