# DNS's released schedule: SGD, a rate that rises for 16 epochs and falls to 0 in 84, iteration by
# iteration; four rates.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4),
    # layer3 and layer4 are the trunk; neck, head and the heads per modality have the whole rate
    paramwise_cfg=dict(
        custom_keys=dict(
            stems=dict(lr_mult=0.1),
            plugins=dict(lr_mult=0.1),
            branch=dict(lr_mult=0.1),
            layer3=dict(lr_mult=0.2),
            layer4=dict(lr_mult=0.25),
        )
    ),
)
_by_iter = dict(by_epoch=True, convert_to_iter_based=True)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, begin=0, end=16, **_by_iter),
    dict(type='LinearLR', start_factor=1.0, end_factor=0.0, begin=16, end=100, **_by_iter),
]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=100)
