# The 285 training images with points. To draw them: tools/make_weak_labels.py data/msrc
# --kind points --ann-file ImageSets/Segmentation/trainaug.txt --out data/msrc
_base_ = './msrc.py'
points = dict(
    type='mmseg_wss.VOCWeakSegDataset', data_root='{{$MSRC_ROOT:data/msrc}}',
    supervision='point', data_prefix=dict(point_path='PointLabels_v1_seed0'),
    ann_file='ImageSets/Segmentation/trainaug.txt',
    pipeline={{_base_.train_pipeline}})
train_dataloader = dict(sampler=dict(source_ratio=[1]), dataset=dict(datasets=[points]))
