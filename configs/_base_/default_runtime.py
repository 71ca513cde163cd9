default_scope = 'mmvireid'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=10, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
custom_hooks = [
    dict(type='QuietHook'),
    dict(type='PreflightHook'),
    dict(type='IterationSeedHook'),
    dict(type='FiniteLossHook'),
    dict(type='SyncBuffersHook'),
    dict(type='PlainCheckpointHook'),
    dict(type='ReplacedImagesHook'),
    dict(type='RecoveryHook', minutes=10),
]
# MMEngine looks model wrappers up in its own registry only, hence the scope.
model_wrapper_cfg = dict(type='mmvireid.ReIDDistributedDataParallel')

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)

log_level = 'INFO'
load_from = None
resume = False
# A seed makes a run repeatable; without one the order of the data could not be resumed.
randomness = dict(seed=0)
