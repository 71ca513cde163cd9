# DEEN as released; a child adds the data set, and takes `loading`. Views are cropped and mirrored
# on the device.
_base_ = [
    '../models/deen_resnet50.py',
    '../schedules/deen_sgd_151e.py',
    '../default_runtime.py',
]
_pipeline = [
    dict(type='LoadReIDImage', size=(384, 144), backend='pillow', interpolation='lanczos'),
    dict(type='PackReIDInputs'),
]
loading = dict(
    train=dict(
        batch_size=48,  # 6 identities x (4 + 4)
        batch_sampler=dict(num_ids=6, replace=True),
        dataset=dict(pipeline=_pipeline),
    ),
    test=dict(dataset=dict(pipeline=_pipeline)),
)
