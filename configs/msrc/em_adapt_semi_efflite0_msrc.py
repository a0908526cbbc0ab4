# EM-Adapt: 60 images with masks and 225 with tags
_base_ = './em_fixed_semi_efflite0_msrc.py'
model = dict(decode_head=dict(
    e_step=dict(_delete_=True, type='adapt', rho_bg=0.4, rho_fg=0.2, sweeps=5)))
