# RRM without the dense energy: cross entropy on the reliable pixels alone
_base_ = './rrm_efflite0_msrc.py'
method = 'rrm_ce_efflite0'  # in the records of its masks
model = dict(decode_head=dict(loss_energy=None))
