# table 7, 9118+94k: the network of mixed_dual_r101_voc.py, fine-tuned with COCO's images too
_base_ = ['./mixed_dual_r101_voc.py', '../_base_/datasets/voc_coco.py']
load_from = 'work_dirs/mixed_dual_r101_voc/epoch_60.pth'
train_dataloader = dict(
    # half strong, as before; the rest by numbers of images: 4, 1 and 3 in a batch of 8
    sampler=dict(source_ratio=[103, 9, 94]),
    dataset=dict(datasets=[
        _base_.strong, _base_.weak, dict(_base_.coco, pipeline=_base_.train_pipeline)]))
optim_wrapper = dict(optimizer=dict(lr=0.001))
train_cfg = dict(max_epochs=30)
