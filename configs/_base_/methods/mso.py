# MSO; a child adds the data set, and takes `loading`.
_base_ = [
    '../models/mso_resnet50.py',
    '../schedules/mso_adam_100e.py',
    '../default_runtime.py',
]
loading = dict(train=dict(batch_sampler=dict(replace=True)))  # as AGW
