# the strong branch sees the 15 masks alone
_base_ = './seg_net_15_efflite0_msrc.py'
model = dict(decode_head=dict(mix_ratio=None))
