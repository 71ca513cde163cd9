# TSLFN+HC as released; a child adds the data set, and takes `loading`.
_base_ = [
    '../models/tslfn_resnet50.py',
    '../schedules/tslfn_sgd_60e.py',
    '../default_runtime.py',
]
loading = dict(
    train=dict(
        # 4 identities x (8 + 8) images
        batch_sampler=dict(num_ids=4, num_instances=8),
        # no crop: the release crops images of the final size without padding them
        dataset=dict(
            pipeline=[
                dict(
                    type='LoadReIDImage', size=(288, 144), backend='pillow', interpolation='lanczos'
                ),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackReIDInputs'),
            ]
        ),
    )
)
