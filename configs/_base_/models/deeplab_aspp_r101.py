# DeepLab-v2 over ResNet-101 at output stride 8: four dilated classifiers
_base_ = './largefov_r101-d8.py'
model = dict(
    data_preprocessor=dict(size=(321, 321)),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.DeepLabV2Head', in_channels=2048, in_index=0,
        num_classes=21, loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True)))
