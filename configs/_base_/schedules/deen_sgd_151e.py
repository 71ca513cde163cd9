# DEEN's released schedule: AGW's optimiser and warm-up, steps at 20 and 80, 151 epochs. The code
# has one at 120, too, which it never reaches.
_base_ = 'agw_sgd_81e.py'
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[20, 80], end=151),
]
train_cfg = dict(max_epochs=151)
