# HCT's schedule: AGW's, for 61 epochs.
_base_ = 'agw_sgd_81e.py'
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=61)]
train_cfg = dict(max_epochs=61)
