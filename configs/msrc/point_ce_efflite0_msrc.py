# 285 images with points: cross entropy on the labelled pixels
_base_ = [
    '../_base_/models/deeplabv3plus_efflite0.py', '../_base_/datasets/msrc_points.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw_1500i.py'
]
