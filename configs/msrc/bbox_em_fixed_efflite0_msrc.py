# Bbox-EM-Fixed: 285 images with boxes; bbox_rect_efflite0_msrc.py goes on. A new network would
# learn that most pixels are background before it knows an object; EM then finds none in the boxes.
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_300i.py'
]
load_from = 'work_dirs/bbox_rect_efflite0_msrc/iter_1500.pth'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.EMHead', head=_base_.model.decode_head,
    e_step=dict(type='box', bias_bg=5., bias_fg=6.), loss_weights=(1., 1.)))
boxes = dict(_base_.weak, ann_file='ImageSets/Segmentation/trainaug.txt')
train_dataloader = dict(sampler=dict(source_ratio=[1]), dataset=dict(datasets=[boxes]))
