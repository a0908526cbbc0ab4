# RRM without the dense energy: cross entropy on the reliable pixels alone
_base_ = './rrm_efflite0_msrc.py'
model = dict(decode_head=dict(loss_energy=None))
