# AlignGAN's three stages in one run; an epoch is 100 iterations. The paper tells of the joint stage
# only, the release and its author of the two before.
_base_ = '../alternating_runtime.py'

_joint_updates = ['reid', 'generators', 'visible_discriminator', 'joint_discriminator']
_stages = [
    dict(name='A feature', end=50, updates=['reid_warmup']),
    dict(name='B pixel', end=150, updates=['generators_warmup', 'discriminators_warmup']),
    dict(name='C joint', updates=_joint_updates),
]
default_hooks = dict(
    stage=dict(type='StageHook', stages=_stages),
    generation=dict(type='GenerationHook', interval=1000),
    watchdog=dict(type='DiscriminatorWatchdogHook', patience=500),
)

_adam = dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))
_sgd = dict(type='SGD', lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4)
optim_wrapper = dict(
    constructor='AlternatingOptimWrapperConstructor',
    # classifier and embedder at 0.2, the pretrained network at 0.02
    reid=dict(
        modules=['feature_module'],
        optimizer=_sgd,
        paramwise_cfg=dict(custom_keys=dict(extractor=dict(lr_mult=0.1))),
    ),
    generators=dict(modules=['visible_to_infrared', 'infrared_to_visible'], optimizer=_adam),
    discriminators_warmup=dict(
        modules=['visible_discriminator_warmup', 'infrared_discriminator_warmup'], optimizer=_adam
    ),
    visible_discriminator=dict(modules=['visible_discriminator'], optimizer=_adam),
    joint_discriminator=dict(modules=['joint_discriminator'], optimizer=_adam),
)
# in the middle of the joint stage
param_scheduler = dict(type='MultiStepLR', milestones=[200], gamma=0.1, end=250, by_epoch=True)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=250)
