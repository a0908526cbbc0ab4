# dual-branch, table 6 (c): COCO, 20k strong, 98k weak
_base_ = [
    '../_base_/models/largefov_vgg16.py', '../_base_/datasets/coco_crop328.py',
    '../_base_/epoch_runtime.py', '../_base_/schedules/adam_20e.py'
]
model = dict(
    backbone=dict(out_indices=(4, )),  # the neck has the convolutions that fc6 and fc7 were
    decode_head=dict(
        _delete_=True, type='mmseg_wss.DualBranchHead', num_classes=81, num_shared_convs=3,
        feature_head=dict(type='FCNHead', in_channels=512, in_index=0, channels=512, num_convs=0,
                          concat_input=False, dropout_ratio=0.)))
train_dataloader = dict(
    batch_size=16, sampler=dict(batch_size=16),
    dataset=dict(datasets=[_base_.coco_strong, _base_.coco_weak]))
