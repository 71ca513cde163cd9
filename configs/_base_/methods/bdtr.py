# BDTR on the authors' two-stream ResNet-50; a child adds the data set, and takes `loading`.
_base_ = [
    '../models/bdtr_resnet50.py',
    '../schedules/bdtr_sgd_61e.py',
    '../default_runtime.py',
]
# 32 identities x (1 visible + 1 infrared): the only positive is the hardest one
loading = dict(train=dict(batch_sampler=dict(num_ids=32, num_instances=1)))
