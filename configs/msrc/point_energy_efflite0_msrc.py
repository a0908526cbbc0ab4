# 285 images with points: cross entropy on the labelled pixels, dense energy on all
_base_ = './point_ce_efflite0_msrc.py'
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DenseEnergyHead', head=_base_.model.decode_head,
    loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', formulation='paper', loss_weight=0.5)))
