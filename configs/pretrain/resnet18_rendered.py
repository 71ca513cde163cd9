# The start of all rendered configs, in the place of ImageNet's: a ResNet-18 without layer4 learns
# to tell 491 people by visible pictures, who are in no other data set of this project.
_base_ = ['../_base_/datasets/loading.py', '../_base_/default_runtime.py']
num_ids = 491
model = dict(
    type='IdentityPretraining',
    channels_last=True,
    extractor=dict(type='ResNetExtractor', depth=18, num_stages=3),
    head=dict(type='IdentityHead', num_ids=num_ids),
    identity_loss=dict(type='IdentityLoss', label_smoothing=0.1),
    loss_weights=dict(identity=1.0),
)
_load_image = dict(type='LoadReIDImage', size=(128, 64))
train_pipeline = [
    _load_image,
    dict(type='RandomPadCrop', padding=6),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomChannelGain', gain_range=(0.7, 1.3)),
    dict(type='PackReIDInputs'),
]
# seed 11: another seed, other people
_data = dict(
    type='SyntheticVisible',
    data_root='data/synthetic_visible',
    size='benchmark',
    seed=11,
)
_loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    **_loader,
    batch_sampler=dict(_delete_=True, type='UniformBatchSampler'),
    dataset=dict(**_data, split='train', cache='ram', pipeline=train_pipeline),
)
val_dataloader = dict(
    **_loader,
    batch_size=64,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmvireid.reid_collate'),
    dataset=dict(
        **_data,
        split='heldout',
        trained_elsewhere=True,  # other pictures of the same people
        pipeline=[_load_image, dict(type='PackReIDInputs')],
    ),
)
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='IdentityAccuracy')
val_cfg = dict()

optim_wrapper = dict(
    type='AutocastOptimWrapper', optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05)
)
# one cycle
_by_iter = dict(by_epoch=True, convert_to_iter_based=True)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, begin=0, end=3, **_by_iter),
    dict(type='CosineAnnealingLR', begin=3, end=10, **_by_iter),
]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=10, val_interval=5)
default_hooks = dict(checkpoint=dict(interval=5))
