# DG-VAE on rendered data, sized for two CPU cores: ResNet-18, images of 128 x 64, maps of
# 128 x 16 x 8, codes of 256 and 64, bf16, three stages in 9 epochs. Crop and flip, as in every
# method's rendered config, for the paper's flip and erasing.
_base_ = ['../_base_/methods/dgvae.py', '../_base_/datasets/synthetic.py']
_encoder = dict(depth=18, stage='layer3', stride=2, init_cfg=_base_.pretrained)
model = dict(
    channels_last=True,
    input_size=(128, 64),
    extractor=dict(depth=18, num_stages=2, init_cfg=_base_.pretrained),
    identity_encoder=dict(**_encoder, code_size=256),
    # a code of 64 has one block where that of identities has two
    ambiguous_encoder=dict(**dict(_encoder, num_blocks=1), code_size=64),
    decoder=dict(start_channels=64, hidden=[(64, 2), (128, 2)]),
    classifier=dict(num_ids=_base_.num_ids),
)
train_dataloader = dict(batch_size=32, batch_sampler=dict(num_instances=2, num_batches=80))
train_cfg = dict(max_epochs=9, val_interval=9)

_stage_1, _stage_2, _stage_3 = _base_.default_hooks.stage.stages
_stages = [dict(_stage_1, end=6), dict(_stage_2, end=7), _stage_3]
default_hooks = dict(
    stage=dict(stages=_stages), logger=dict(interval=20), checkpoint=dict(interval=1)
)
# 480 iterations are few: five times the paper's rate, three times for the classifier, and forty
# times as much for the prior as for the rest, where the paper-sized configs have ten times: see
# README.md.
_prior = dict(custom_keys=dict(mixture_prior=dict(lr_mult=40)))
optim_wrapper = dict(
    autoencoder=dict(type='AutocastOptimWrapper', optimizer=dict(lr=1e-3), paramwise_cfg=_prior),
    classifier=dict(type='AutocastOptimWrapper', optimizer=dict(lr=0.03)),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=1, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[7], gamma=0.1, end=9),
]
