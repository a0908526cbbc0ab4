# RRM as its authors advise: everything is trained from the start, on their trained classifier
_base_ = './rrm_r38_voc.py'
load_from = 'pretrained/res38_cls.pth'  # converted by tools/model_converters/resnet38.py
model = dict(backbone=dict(init_cfg=None))
train_dataloader = dict(batch_size=4, sampler=dict(batch_size=4))
optim_wrapper = dict(optimizer=dict(lr=7e-4, weight_decay=1e-5))
# 20,000 steps of 4 images are 7.6 passes over 10,582
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, by_epoch=True,
         convert_to_iter_based=True)]
custom_hooks = [hook for hook in _base_.custom_hooks if hook.type != 'mmseg_wss.ClassifyFirstHook']
train_cfg = dict(max_epochs=8, val_interval=1)
auto_scale_lr = dict(base_batch_size=4)
