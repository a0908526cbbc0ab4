# hard_shapes.py with what finds small and rare objects: crops around them, repeated images, Dice
_base_ = './hard_shapes.py'
train_pipeline = [
    dict(step, object_prob=0.33) if step.type == 'mmseg_wss.RandomCrop' else step
    for step in _base_.train_pipeline]
train_dataloader = dict(
    sampler=dict(repeat_threshold=0.3),
    dataset=dict(datasets=[dict(source, pipeline=train_pipeline)
                           for source in _base_.train_dataloader.dataset.datasets]))
model = dict(decode_head=dict(loss_decode=[
    dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True), dict(type='mmseg_wss.DiceLoss')]))
