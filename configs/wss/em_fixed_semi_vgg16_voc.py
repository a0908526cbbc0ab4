# WSSL, table 1, EM-Fixed (Semi): 1464 images with masks and 9118 with tags, 15 + 15 in a batch
_base_ = './wssl_strong_vgg16_voc.py'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='fixed', bias_bg=3., bias_fg=5.), loss_weights=(0.7, 0.3)))
train_dataloader = dict(
    batch_size=30, sampler=dict(batch_size=30, source_ratio=[1, 1]),
    dataset=dict(datasets=[_base_.strong, _base_.weak_tags]))
auto_scale_lr = dict(base_batch_size=30)
