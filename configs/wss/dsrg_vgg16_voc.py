# DSRG, step 1 (dual-branch, table 4: VGG16, 10k weak): seeds grow while a network learns from them
_base_ = [
    '../_base_/models/deeplab_aspp_vgg16.py', '../_base_/datasets/voc_dsrg.py',
    '../_base_/schedules/dsrg_8k.py', '../_base_/iter_runtime.py'
]
method = 'dsrg_vgg16'  # in the records of its masks
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DSRGHead', head=_base_.model.decode_head))
