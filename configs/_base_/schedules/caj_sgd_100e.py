# CAJ's schedule: AGW's, for 100 epochs.
_base_ = 'agw_sgd_81e.py'
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=100)]
train_cfg = dict(max_epochs=100)
