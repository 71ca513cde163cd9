# PMT on rendered data, sized for a CPU core: a narrow transformer of two blocks that starts from
# random weights, for there are none of such a size. It learns slowly, and more slowly with dropout:
# see README.md.
_base_ = ['../_base_/methods/pmt.py', '../_base_/datasets/synthetic.py']
model = dict(
    backbone=dict(
        input_size=(128, 64),
        feature_size=128,
        num_blocks=2,
        num_heads=4,
        dropout=0.0,
        drop_path=0.0,
        init_cfg=None,
    ),
    head=dict(num_ids=_base_.num_ids),
)
train_dataloader = dict(
    batch_size=32,
    batch_sampler=dict(num_instances=2, num_batches=120),
    dataset=dict(pipeline=[_base_.test_pipeline[0], *_base_.loading.train.dataset.pipeline[1:]]),
)
train_cfg = dict(max_epochs=20, val_interval=20)
optim_wrapper = dict(type='AutocastOptimWrapper', optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='WarmupCosineLR', floor=1e-5, warmup=2, end=20, convert_to_iter_based=True)
]
_stages = _base_.default_hooks.stage.stages
default_hooks = dict(
    stage=dict(stages=[dict(_stages[0], end=5), _stages[1]]),
    logger=dict(interval=20),
    checkpoint=dict(interval=5),
)
