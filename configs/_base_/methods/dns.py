# DNS as released; a child adds the data set, takes `loading`, and what is done to its images. The
# pipeline has to be that of the test: views are cropped and mirrored on the device.
_base_ = [
    '../models/dns_resnet50.py',
    '../schedules/dns_sgd_100e.py',
    '../default_runtime.py',
]
default_hooks = dict(teacher=_base_._teacher)
# 6 identities x (4 + 4), drawn as AGW's
loading = dict(train=dict(batch_size=48, batch_sampler=dict(num_ids=6, replace=True)))
