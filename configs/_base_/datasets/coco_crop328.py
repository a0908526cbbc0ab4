# dual-branch, section 4.5: COCO 2017 as 81 classes, 20k strong and 98k weak images; the masks and
# lists as in docs/full_size_data.md, with --strong 20000 --random
_base_ = ['./voc_crop328.py', './coco_semantic.py']
coco_strong = dict(
    image_list='ImageSets/train_strong20000_random_v1_seed0.txt', pipeline=_base_.train_pipeline)
coco_weak = dict(
    _base_.coco_strong, supervision='pseudo', pseudo_mask='PseudoMask81_dsrg_vgg16',
    made_by='dsrg_vgg16', image_list='ImageSets/train_weak20000_random_v1_seed0.txt',
    pipeline=_base_.train_pipeline)
train_dataloader = dict(sampler=dict(epoch_images=118287))
val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.coco_val, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
