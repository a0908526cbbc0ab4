# DSRG, step 1, over ResNet-101 (dual-branch, table 4: 10k weak); its recipe is not stated: VGG16's
_base_ = [
    '../_base_/models/deeplab_aspp_r101.py', '../_base_/datasets/voc_dsrg.py',
    '../_base_/schedules/dsrg_8k.py', '../_base_/iter_runtime.py'
]
method = 'dsrg_r101'  # in the records of its masks
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DSRGHead', head=_base_.model.decode_head))
