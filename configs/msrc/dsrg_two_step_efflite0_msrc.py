# DSRG, two steps: DeepLabV3+ on the masks of dsrg_efflite0_msrc.py
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc_tags.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
train_dataloader = dict(dataset=dict(datasets=[_base_.dsrg_masks]))
