# XIV at the release's sizes; a child adds the data set, and takes `loading`.
_base_ = [
    '../models/xiv_resnet50.py',
    '../schedules/xiv_adam_120e.py',
    '../default_runtime.py',
]
_load_image = dict(
    type='LoadReIDImage', size=(256, 128), backend='pillow', interpolation='bilinear'
)
loading = dict(
    # 12 identities x (4 visible + 4 infrared); the model makes 48 images of X besides
    train=dict(
        batch_size=96,
        batch_sampler=dict(num_ids=12, num_instances=4),
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
