# dual_branch_efflite0_msrc.py with a larger network, EfficientNet-Lite2
_base_ = ['dual_branch_efflite0_msrc.py']
model = dict(
    backbone=dict(
        model_name='tf_efficientnet_lite2',
        init_cfg=dict(type='mmseg_wss.EfficientNetLiteInit', size=2)),
    decode_head=dict(feature_head=dict(in_channels=352)))
