# TSLFN+HC's released schedule: SGD at 0.01, the two ResNets at a tenth of it, a step at 30, 60
# epochs.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = dict(type='MultiStepLR', milestones=[30], gamma=0.1, end=60, by_epoch=True)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=60)
