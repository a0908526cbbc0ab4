default_scope = 'mmseg'
# checkpoints are read as data from here on, also by tools that load them ahead of the model
custom_imports = dict(imports=['mmseg_wss.utils.checkpoint_file'])
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
tta_model = dict(type='SegTTAModel')

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='mmseg_wss.MasterLoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='mmseg_wss.ResumableCheckpointHook', by_epoch=False, interval=100,
                    max_keep_ckpts=1, save_best='mIoU'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'))
custom_hooks = [
    dict(type='mmseg_wss.SetupCheckHook'),
    dict(type='mmseg_wss.NonFiniteLossHook'),
    dict(type='mmseg_wss.LabelShareHook'),
    dict(type='mmseg_wss.SeenSizeHook'),
    dict(type='mmseg_wss.ValPanelHook'),
    dict(type='mmseg_wss.ZeroIoUHook'),
]
