# LbA; a child adds the data set, and takes `loading`. The release crops without padding, which
# crops nothing: images are mirrored and no more.
_base_ = ['../models/lba_resnet50.py', '../schedules/agw_sgd_81e.py', '../default_runtime.py']
loading = dict(train=dict(batch_sampler=dict(replace=True)))  # as AGW
