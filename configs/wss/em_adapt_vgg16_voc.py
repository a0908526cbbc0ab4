# WSSL, table 1, EM-Adapt (Weak): 10,582 images with tags
_base_ = './em_fixed_vgg16_voc.py'
model = dict(decode_head=dict(
    e_step=dict(_delete_=True, type='adapt', rho_bg=0.4, rho_fg=0.2, sweeps=5)))
