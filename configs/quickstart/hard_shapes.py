# the quick start with one more class, scratches, in 3 % of the images, under 0.3 % of their pixels
_base_ = './mixed_dual_shapes.py'
data = dict(
    data_root='data/hard_shapes', shapes=dict(num_images=(66, 234, 200), rare_share=0.03))
strong, weak = dict(_base_.strong, **data), dict(_base_.weak, **data)
train_dataloader = dict(dataset=dict(datasets=[strong, weak]))
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
model = dict(decode_head=dict(num_classes=6))
