# CAJ as released; a child adds the data set, and takes `loading`, whose pipeline has to be the one
# of the test: views are cropped and mirrored on the device, each in its own way.
_base_ = [
    '../models/caj_resnet50.py',
    '../schedules/caj_sgd_100e.py',
    '../default_runtime.py',
]
loading = dict(train=dict(batch_sampler=dict(replace=True)))  # as AGW
