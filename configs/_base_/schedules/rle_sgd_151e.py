# RLE's released schedule: AGW's optimiser and warm-up, steps at 20, 80 and 120, 151 epochs; the
# paper says 20 and 50.
_base_ = 'agw_sgd_81e.py'
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], milestones=[20, 80, 120], end=151),
]
train_cfg = dict(max_epochs=151)
