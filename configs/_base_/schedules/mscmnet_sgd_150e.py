# MSCMNet's schedule: AGW's optimiser; steps at 25 and 80 as in the published log (the code has 25,
# 90 and 120), 150 epochs.
_base_ = 'agw_sgd_81e.py'
param_scheduler = [
    # 0.1 + 0.09 e of the rate in epochs e = 0 ... 9, all of it from 10 on
    dict(_base_.param_scheduler[0], end=11),
    dict(_base_.param_scheduler[1], milestones=[25, 80], end=150),
]
train_cfg = dict(max_epochs=150)
