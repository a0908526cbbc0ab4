# table 7, 9118+94k: the network of mixed_dual_r101_voc.py, fine-tuned with COCO's images too
_base_ = ['./mixed_dual_r101_voc.py', '../_base_/datasets/voc_coco.py']
load_from = 'work_dirs/mixed_dual_r101_voc/epoch_60.pth'
train_dataloader = dict(
    # Half of a batch is strong, as before. The rest is drawn from one source of 9118 + 94k images,
    # so VOC and COCO share it by their numbers. An epoch has as many images as all of them are.
    sampler=dict(epoch_images=1464 + 9118 + 94000),
    dataset=dict(datasets=[
        _base_.strong,
        dict(type='ConcatDataset', datasets=[
            _base_.weak, dict(_base_.coco, pipeline=_base_.train_pipeline)])]))
optim_wrapper = dict(optimizer=dict(lr=0.001))
train_cfg = dict(max_epochs=30)
