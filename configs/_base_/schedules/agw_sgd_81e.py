# AGW's released schedule: SGD, backbone at a tenth of the rate, 10 epochs of warm-up,
# steps at 20 and 50, 81 epochs.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = [
    # 0.1 (e + 1) / 10 of the rate in epochs e = 0 ... 9
    dict(type='LinearLR', start_factor=0.1, begin=0, end=10, by_epoch=True),
    dict(type='MultiStepLR', milestones=[20, 50], gamma=0.1, begin=0, end=81, by_epoch=True),
]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=81)
