# Hi-CMD at the release's sizes; a child adds the data set, and takes `loading`.
_base_ = ['../models/hicmd_resnet50.py', '../schedules/hicmd_200e.py']
_load_image = dict(
    type='LoadReIDImage', size=_base_.image_size, backend='pillow', interpolation='bicubic'
)
loading = dict(
    train=dict(
        # 4 pairs of different people
        batch_size=8,
        batch_sampler=dict(num_ids=4, num_instances=1, num_batches=1000),
        dataset=dict(
            pipeline=[_load_image, dict(type='RandomFlip', prob=0.5), dict(type='PackReIDInputs')]
        ),
    ),
    test=dict(dataset=dict(pipeline=[_load_image, dict(type='PackReIDInputs')])),
)
