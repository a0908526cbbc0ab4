# DeepLab-ASPP-L over VGG16 at output stride 8: four branches of fc6, fc7 and fc8
_base_ = './largefov_vgg16.py'
model = dict(
    data_preprocessor=dict(size=(321, 321)),
    backbone=dict(out_indices=(4, ), average_pool5=True),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.DeepLabV2Head', in_channels=512, in_index=0,
        num_classes=21, hidden_channels=1024,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))
