# RRM's baseline: labels by the activation maps alone, without a CRF, and cross entropy
_base_ = './rrm_ce_efflite0_msrc.py'
method = 'rrm_cam_efflite0'  # in the records of its masks
model = dict(decode_head=dict(labels=dict(rule='cam')))
