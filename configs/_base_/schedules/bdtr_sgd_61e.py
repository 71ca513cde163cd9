# The schedule of the authors' first PyTorch baseline: SGD, backbones at a tenth of the rate, a step
# at 30, 61 epochs.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = dict(
    type='MultiStepLR', milestones=[30], gamma=0.1, begin=0, end=61, by_epoch=True
)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=61)
