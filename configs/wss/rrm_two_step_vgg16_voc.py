# RRM, two steps: DeepLab-LargeFOV over VGG16 on the masks of rrm_r38_voc.py
_base_ = [
    '../_base_/models/largefov_vgg16.py', '../_base_/datasets/voc_tags.py',
    '../_base_/iter_runtime.py', '../_base_/schedules/sgd_6k.py'
]
model = dict(data_preprocessor=dict(size=(321, 321)))
train_dataloader = dict(
    batch_size=20, sampler=dict(batch_size=20, by_epoch=False),
    dataset=dict(datasets=[_base_.rrm_masks]))
