# expAT: images of 384 x 128, the 296 identities of the training split alone, 48 images in a batch.
_base_ = [
    '../_base_/models/expat_parts.py',
    '../_base_/schedules/expat_adam_30e.py',
    '../_base_/datasets/sysu_mm01.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _base_._expat,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='none',
        last_stride=1,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(_base_._expat.head, num_ids=296),
)
_load_image = dict(_base_.load_image, size=(384, 128))
_augmentation = [*_base_.train_pipeline[1:-1], dict(type='RandomErasing', prob=0.5)]
train_dataloader = dict(
    batch_size=48,
    batch_sampler=dict(num_ids=8, num_instances=3, num_batches=1000),
    dataset=dict(split='train', pipeline=[_load_image, *_augmentation, _base_.train_pipeline[-1]]),
)
test_dataloader = dict(dataset=dict(pipeline=[_load_image, *_base_.test_pipeline[1:]]))
