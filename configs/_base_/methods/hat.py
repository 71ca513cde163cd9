# HAT with the schedule and batches of AGW, its group's: the paper's are not known. A child adds the
# data set.
_base_ = [
    '../models/hat_resnet50.py',
    '../schedules/agw_sgd_81e.py',
    '../default_runtime.py',
]
