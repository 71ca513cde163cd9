# PMT as released; a child adds the data set, and takes `loading`. Nothing is padded or cropped, and
# what else is random happens on the device.
_base_ = [
    '../models/pmt_vit.py',
    '../schedules/pmt_adamw_24e.py',
]
_load_image = dict(
    type='LoadReIDImage', size=(256, 128), backend='pillow', interpolation='bilinear'
)
loading = dict(
    # 8 identities x (4 + 4) different images
    train=dict(
        dataset=dict(
            pipeline=[
                _load_image,
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackReIDInputs'),
            ]
        )
    ),
    test=dict(dataset=dict(pipeline=[_load_image, dict(type='PackReIDInputs')])),
)
