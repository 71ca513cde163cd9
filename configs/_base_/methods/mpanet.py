# MPANet as released; a child adds the data set, takes `loading`, and says the size of the images.
_base_ = [
    '../models/mpanet_resnet50.py',
    '../schedules/mpanet_adam_140e.py',
    '../default_runtime.py',
]
default_hooks = dict(teacher=_base_._teacher)
# 16 identities x (4 + 4), pair by pair; 183 batches are a pass over SYSU-MM01: see README.md
_pairs = dict(type='IdentityPairBatchSampler', num_ids=16, num_instances=4, num_batches=183)
_load_image = dict(
    type='LoadReIDImage', size=(384, 128), backend='pillow', interpolation='bilinear'
)
_pipeline = [_load_image, dict(type='PackReIDInputs')]
loading = dict(
    train=dict(batch_size=128, batch_sampler=_pairs, dataset=dict(pipeline=_pipeline)),
    test=dict(dataset=dict(pipeline=_pipeline)),
)
