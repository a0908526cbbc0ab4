# 285 images with points: point_ce_efflite0_msrc.py goes on, with the dense energy
_base_ = ['../_base_/efflite0_msrc_energy.py', '../_base_/datasets/msrc_points.py']
load_from = 'work_dirs/point_ce_efflite0_msrc/iter_1500.pth'
