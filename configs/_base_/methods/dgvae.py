# DG-VAE at the paper's sizes; a child adds the data set, and takes `loading`.
_base_ = ['../models/dgvae_resnet50.py', '../schedules/dgvae_250e.py']
_load_image = dict(type='LoadReIDImage', size=_base_.image_size, backend='pillow')
_train_pipeline = [
    _load_image,
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomErasing', prob=0.5, area_range=(0.02, 0.4)),
    dict(type='PackReIDInputs'),
]
loading = dict(
    # 4 identities x (4 visible + 4 infrared)
    train=dict(
        batch_size=32, batch_sampler=dict(num_ids=4), dataset=dict(pipeline=_train_pipeline)
    ),
    test=dict(batch_size=32, dataset=dict(pipeline=[_load_image, dict(type='PackReIDInputs')])),
)
