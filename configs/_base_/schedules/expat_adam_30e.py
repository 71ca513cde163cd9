# expAT's released schedule: 30,000 iterations, here 30 epochs of 1,000, with steps at 10,000 and
# 20,000; biases at twice the rate, those of BatchNorm too. The weight decay is not known; it is
# AGW's.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=3e-4, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(bias=dict(lr_mult=2.0))),
)
param_scheduler = dict(type='MultiStepLR', milestones=[10, 20], gamma=0.1, end=30, by_epoch=True)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=30)
