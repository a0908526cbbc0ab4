# A network that has learned from points or scribbles (load_from) goes on, with the dense energy.
_base_ = [
    './models/deeplabv3plus_efflite0.py', './default_runtime.py', './schedules/adamw_300i.py']
model = dict(decode_head=dict(
    _delete_=True, type='mmseg_wss.DenseEnergyHead', head=_base_.model.decode_head,
    loss_energy=dict(type='mmseg_wss.DenseEnergyLoss', formulation='paper', loss_weight=0.1)))
