# MPANet's released schedule: Adam at one rate for everything, steps at 80 and 120, 140 epochs, no
# warm-up.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=3.5e-4, weight_decay=5e-4))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[80, 120], gamma=0.1, begin=0, end=140, by_epoch=True)
]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=140)
