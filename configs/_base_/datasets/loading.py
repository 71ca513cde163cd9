# What the real data sets share: AGW's image size and augmentation, and P x K batches of
# 8 identities x (4 visible + 4 infrared).
load_image = dict(type='LoadReIDImage', size=(288, 144), backend='pillow', interpolation='lanczos')
train_pipeline = [
    load_image,
    dict(type='RandomPadCrop', padding=10),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackReIDInputs'),
]
test_pipeline = [load_image, dict(type='PackReIDInputs')]

_loader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    collate_fn=dict(type='mmvireid.reid_collate'),
    worker_init_fn=dict(type='mmvireid.reid_worker_init'),
)
train_dataloader = dict(
    **_loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # an identity's images are different ones; AGW's configs draw them with replacement
    batch_sampler=dict(type='CrossModalityBatchSampler', num_ids=8, num_instances=4),
    # resized images are kept below the data root (4.3 GB for SYSU-MM01), if there is room
    dataset=dict(cache='auto', pipeline=train_pipeline),
)
test_dataloader = dict(
    **_loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline),
)
test_cfg = dict()
