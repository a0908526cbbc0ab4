# EM-Fixed: 285 images with tags alone
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc_tags.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='fixed', bias_bg=3., bias_fg=5.), loss_weights=(1., 1.)))
