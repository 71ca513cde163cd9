# MSO's schedule (Sec. 4.1): Adam at one rate for everything, steps at 20, 25 and 35, 100 epochs.
# The paper names no weight decay; it is AGW's.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=5e-4, betas=(0.9, 0.999), weight_decay=5e-4),
)
param_scheduler = dict(
    type='MultiStepLR', milestones=[20, 25, 35], gamma=0.1, begin=0, end=100, by_epoch=True
)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=100)
