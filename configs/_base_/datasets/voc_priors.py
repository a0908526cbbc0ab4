# voc.py for AnnNet: every image has boxes, and their priors are channels 4 and 5 of the input
_base_ = './voc.py'
train_pipeline = [  # behind the new size, before the crop
    *_base_.train_pipeline[:3], dict(type='mmseg_wss.BoxPriors'), *_base_.train_pipeline[3:]]
test_pipeline = [
    *_base_.test_pipeline[:-1], dict(type='mmseg_wss.BoxPriors'), _base_.test_pipeline[-1]]
tta_pipeline = [
    _base_.tta_pipeline[0],
    dict(type='TestTimeAug', transforms=[
        *_base_.tta_pipeline[1].transforms[:-1], [dict(type='mmseg_wss.BoxPriors')],
        _base_.tta_pipeline[1].transforms[-1]])]
strong = dict(with_boxes=True, pipeline=train_pipeline)
weak = dict(  # with the masks of tools/generate_proposals.py
    pseudo_mask='PseudoMask_grabcut_region', with_boxes=True, pipeline=train_pipeline)
train_dataloader = dict(dataset=dict(datasets=[
    dict(_base_.strong, **strong), dict(_base_.weak, **weak)]))
val_dataloader = dict(dataset=dict(with_boxes=True, pipeline=test_pipeline))
test_dataloader = val_dataloader
