# AGW as released; a child adds the data set, and takes `loading`.
_base_ = [
    '../models/agw_resnet50.py',
    '../schedules/agw_sgd_81e.py',
    '../default_runtime.py',
]
loading = dict(train=dict(batch_sampler=dict(replace=True)))  # as released
