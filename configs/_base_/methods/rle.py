# RLE as released; a child adds the data set, and takes `loading`, and from `_variants` what is done
# to the images.
_base_ = [
    '../models/rle_resnet50.py',
    '../schedules/rle_sgd_151e.py',
    '../default_runtime.py',
]
_load_image = dict(type='LoadReIDImage', size=(384, 192), backend='pillow', interpolation='lanczos')
loading = dict(
    train=dict(
        # 6 identities x (4 + 4), as the code has them; the paper says 4 x (6 + 6)
        batch_size=48,
        batch_sampler=dict(num_ids=6, replace=True),
        dataset=dict(
            pipeline=[
                _load_image,
                dict(type='RandomPadCrop', padding=10),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackReIDInputs'),
            ]
        ),
    ),
    test=dict(dataset=dict(pipeline=[_load_image, dict(type='PackReIDInputs')])),
)
