# WSSL, table 1, EM-Fixed (Weak): 10,582 images with tags
_base_ = [
    '../_base_/models/smallfov_vgg16.py', '../_base_/datasets/voc_crop321.py',
    '../_base_/iter_runtime.py', '../_base_/schedules/sgd_6k.py'
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(
        _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
        e_step=dict(type='fixed', bias_bg=3., bias_fg=5.), loss_weights=(1., 1.)))
train_dataloader = dict(dataset=dict(datasets=[_base_.all_tags]))
