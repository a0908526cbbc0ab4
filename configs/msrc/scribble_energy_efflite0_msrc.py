# 285 images with scribbles: scribble_ce_efflite0_msrc.py goes on, with the dense energy
_base_ = ['../_base_/efflite0_msrc_energy.py', '../_base_/datasets/msrc_scribbles.py']
load_from = 'work_dirs/scribble_ce_efflite0_msrc/iter_1500.pth'
