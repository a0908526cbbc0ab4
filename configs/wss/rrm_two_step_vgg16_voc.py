# RRM, two steps: DeepLab-LargeFOV over VGG16, with its own recipe, on the masks of rrm_r38_voc.py
_base_ = [
    '../_base_/models/largefov_vgg16.py', '../_base_/datasets/voc_crop321.py',
    '../_base_/iter_runtime.py', '../_base_/schedules/sgd_6k.py'
]
model = dict(data_preprocessor=dict(size=(321, 321)))
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.all_segments, pseudo_mask='PseudoMask_rrm_r38', made_by='rrm_r38')]))
