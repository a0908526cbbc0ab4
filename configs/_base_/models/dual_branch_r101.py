# strong-weak dual branch over ResNet-101, three shared convolutions
_base_ = './deeplab_aspp_r101.py'
model = dict(
    data_preprocessor=dict(size=(328, 328)),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.DualBranchHead', num_classes=21, num_shared_convs=3,
        feature_head=dict(type='FCNHead', in_channels=2048, in_index=0, channels=2048, num_convs=0,
                          concat_input=False, dropout_ratio=0.)))
