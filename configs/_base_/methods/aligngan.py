# AlignGAN at the release's sizes; a child adds the data set, and takes `loading`.
_base_ = ['../models/aligngan_resnet50.py', '../schedules/aligngan_250e.py']
_load_image = dict(
    type='LoadReIDImage', size=_base_.image_size, backend='pillow', interpolation='bicubic'
)
loading = dict(
    # 18 identities x (4 visible + 4 infrared) for the feature module, 4 x (4 + 4) for the pixel
    # module
    train=dict(
        batch_size=176,
        batch_sampler=dict(
            _delete_=True,
            type='BlockBatchSampler',
            blocks=dict(
                feature=dict(num_ids=18, num_instances=4),
                pixel=dict(num_ids=4, num_instances=4),
            ),
            num_batches=100,
        ),
        dataset=dict(
            pipeline=[_load_image, dict(type='RandomFlip', prob=0.5), dict(type='PackReIDInputs')]
        ),
    ),
    test=dict(dataset=dict(pipeline=[_load_image, dict(type='PackReIDInputs')])),
)
