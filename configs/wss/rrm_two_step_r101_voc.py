# RRM, two steps: DeepLab-v2 over ResNet-101 on the masks of rrm_r38_voc.py. DeepLab-v2's recipe has
# scales of 0.5 to 1.5, and 20,000 steps of 10 images from a rate of 2.5e-4.
_base_ = [
    '../_base_/models/deeplab_aspp_r101.py', '../_base_/datasets/voc_crop328.py',
    '../_base_/iter_runtime.py', '../_base_/schedules/dsrg_retrain_20k.py'
]
train_pipeline = [
    *_base_.train_pipeline[:3], dict(type='mmseg_wss.RandomCrop', crop_size=(321, 321)),
    *_base_.train_pipeline[4:]]
train_dataloader = dict(
    batch_size=10, sampler=dict(batch_size=10, source_ratio=[1], by_epoch=False),
    dataset=dict(datasets=[dict(
        _base_.weak, ann_file='ImageSets/Segmentation/trainaug.txt',
        pseudo_mask='PseudoMask_rrm_r38', made_by='rrm_r38', pipeline=train_pipeline)]))
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
