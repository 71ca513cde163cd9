default_scope = 'mmvireid'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=10, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # guards of every run, also of one that names none of them; None switches one off
    quiet=dict(type='QuietHook'),
    preflight=dict(type='PreflightHook'),
    iteration_seed=dict(type='IterationSeedHook'),
    finite_loss=dict(type='FiniteLossHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
    plain_checkpoint=dict(type='PlainCheckpointHook'),
    replaced_images=dict(type='ReplacedImagesHook'),
    recovery=dict(type='RecoveryHook', minutes=10),
)
custom_hooks = []
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
