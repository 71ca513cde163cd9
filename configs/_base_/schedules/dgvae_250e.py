# DG-VAE's training paragraph (Sec. 4.2): three stages in one run, Adam for all but the classifier.
_base_ = '../alternating_runtime.py'

_identity_branch = ['visible_extractor', 'infrared_extractor', 'identity_encoder', 'mixture_prior']
_swap_terms = ['reconstruction', 'cycle', 'identity_consistency']
_task_terms = ['identity', 'triplet', 'identity_sampled', 'triplet_sampled']
_identity_terms = [*_task_terms, 'mixture', 'margin', 'identity_gaussian']
_stages = [
    dict(
        name='1 identity',
        end=100,
        frozen=['ambiguous_encoder', 'decoder'],
        loss_weights=dict.fromkeys([*_swap_terms, 'ambiguous'], 0.0),
    ),
    dict(
        name='2 ambiguous',
        end=150,
        frozen=_identity_branch,
        loss_weights=dict(dict.fromkeys(_identity_terms, 0.0), ambiguous=0.001),
    ),
    dict(name='3 joint'),
]
default_hooks = dict(stage=dict(type='StageHook', stages=_stages))

_adam = dict(type='Adam', lr=2e-4, betas=(0.9, 0.999))
optim_wrapper = dict(
    constructor='AlternatingOptimWrapperConstructor',
    autoencoder=dict(
        modules=[*_identity_branch, 'ambiguous_encoder', 'decoder'],
        optimizer=_adam,
        # a class mean has a gradient in the few batches alone that hold its identity: see
        # configs/dgvae/README.md
        paramwise_cfg=dict(custom_keys=dict(mixture_prior=dict(lr_mult=10))),
    ),
    classifier=dict(modules=['classifier'], optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
)
# stage 3 runs at a tenth of the rate
param_scheduler = dict(type='MultiStepLR', milestones=[150], gamma=0.1, end=250, by_epoch=True)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=250)
