# XIV's released schedule: Adam at one rate for everything, 10 epochs of warm-up, steps at 40 and
# 70, 120 epochs.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3.5e-4, weight_decay=5e-4))
param_scheduler = [
    # 0.01 + 0.99 e / 10 of the rate in epochs e = 0 ... 10
    dict(type='LinearLR', start_factor=0.01, begin=0, end=11, by_epoch=True),
    dict(type='MultiStepLR', milestones=[40, 70], gamma=0.1, begin=0, end=120, by_epoch=True),
]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=120)
