# PMT on rendered data, sized for a CPU core: a narrow transformer that starts from random weights.
_base_ = ['../_base_/methods/pmt.py', '../_base_/datasets/synthetic.py']
model = dict(
    backbone=dict(
        input_size=(128, 64),
        patch_size=16,
        stride=12,
        feature_size=128,
        num_blocks=4,
        num_heads=4,
        init_cfg=None,
    ),
    head=dict(num_ids=_base_.num_ids),
)
_base_.train_pipeline.pop(1)  # no crop
train_dataloader = dict(
    batch_size=32,
    batch_sampler=dict(num_instances=2, num_batches=100),
    dataset=dict(pipeline=_base_.train_pipeline),
)
train_cfg = dict(max_epochs=10, val_interval=10)
optim_wrapper = dict(type='AutocastOptimWrapper', optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='WarmupCosineLR', floor=1e-5, warmup=1, end=10, convert_to_iter_based=True)
]
_stages = _base_.default_hooks.stage.stages
default_hooks = dict(
    stage=dict(stages=[dict(_stages[0], end=2), _stages[1]]),
    logger=dict(interval=20),
    checkpoint=dict(interval=5),
)
