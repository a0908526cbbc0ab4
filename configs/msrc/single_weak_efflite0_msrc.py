# baseline: one branch, the 225 images with boxes painted as masks alone
_base_ = './single_strong_efflite0_msrc.py'
train_dataloader = dict(dataset=dict(datasets=[_base_.weak]))
