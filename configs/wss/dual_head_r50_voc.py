# the paper's dual-head (figure 5b, table 4): no weak images in the strong branch
_base_ = './mixed_dual_r50_voc.py'
model = dict(decode_head=dict(mix_ratio=None))
