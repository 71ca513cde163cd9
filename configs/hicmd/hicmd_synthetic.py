# Hi-CMD on rendered data, sized for two CPU cores: narrow networks, ResNet-18 from random weights,
# images of 128 x 64, bf16.
_base_ = [
    '../_base_/models/hicmd_resnet50.py',
    '../_base_/datasets/synthetic.py',
    '../_base_/schedules/hicmd_200e.py',
]
model = dict(
    channels_last=True,
    input_size=(128, 64),
    prototype_encoder=dict(base_channels=8, num_blocks=2),
    attribute_encoder=dict(extractor=dict(depth=18, num_stages=3, init_cfg=None), num_blocks=2),
    discriminator=dict(base_channels=8, num_scales=2, num_blocks=2),
    feature_module=dict(
        trunk=dict(depth=18, init_cfg=None),
        head=dict(feature_size=512, num_ids=_base_.num_ids),
    ),
)
train_dataloader = dict(
    batch_size=16, batch_sampler=dict(num_ids=8, num_instances=1, num_batches=80)
)
train_cfg = dict(max_epochs=15, val_interval=15)
default_hooks = dict(
    generation=dict(interval=400), logger=dict(interval=20), checkpoint=dict(interval=5)
)
_bf16 = dict(type='AutocastOptimWrapper')
_fast = dict(**_bf16, optimizer=dict(lr=1e-3))  # a short run is too short for 1e-4
optim_wrapper = dict(
    discriminators=_fast,
    generation=_fast,
    reid=dict(
        **_bf16,
        optimizer=dict(_delete_=True, type='Adam', lr=1e-3, weight_decay=1e-4),
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=1, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[12], gamma=0.1, end=15),
]
