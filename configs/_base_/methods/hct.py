# HCT as released; a child adds the data set, and takes `loading`.
_base_ = [
    '../models/hct_resnet50.py',
    '../schedules/hct_sgd_61e.py',
    '../default_runtime.py',
]
loading = dict(train=dict(batch_sampler=dict(replace=True)))  # as AGW
