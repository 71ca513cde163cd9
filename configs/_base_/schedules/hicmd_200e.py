# Hi-CMD: one stage; an epoch is 1,000 iterations. Rates are halved every 50,000 iterations; the
# release trains 200,000 on SYSU-MM01, and half of both on RegDB.
_base_ = '../alternating_runtime.py'

_adam = dict(type='Adam', lr=1e-4, betas=(0.5, 0.999), weight_decay=1e-4)
optim_wrapper = dict(
    constructor='AlternatingOptimWrapperConstructor',
    discriminators=dict(
        modules=['visible_discriminator', 'infrared_discriminator'], optimizer=_adam
    ),
    generation=dict(
        modules=[
            'visible_prototype_encoder',
            'infrared_prototype_encoder',
            'visible_attribute_encoder',
            'infrared_attribute_encoder',
            'decoder',
        ],
        optimizer=_adam,
    ),
    reid=dict(
        modules=['feature_module'],
        optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4),
        # alpha = sigmoid(w) moves by lr / 16 per gradient of alpha at 1/2: as 1e-5 moves a free one
        paramwise_cfg=dict(custom_keys=dict(mix=dict(lr_mult=0.16))),
    ),
)
param_scheduler = dict(type='StepLR', step_size=50, gamma=0.5, end=200, by_epoch=True)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=200)
default_hooks = dict(
    generation=dict(type='GenerationHook', interval=1000),
    watchdog=dict(type='DiscriminatorWatchdogHook', patience=500),
)
