# Rendered pedestrians in SYSU-MM01's layout, made on first use; small images for CPUs.
# Validation during training runs on identities held out of the training set.
_base_ = 'loading.py'
num_ids = 228
# What networks start from, in the place of ImageNet's weights: see configs/pretrain/README.md.
pretrained = dict(type='Pretrained', checkpoint='mmvireid://resnet18_rendered')

load_image = dict(type='LoadReIDImage', size=(128, 64))
_crop = dict(type='RandomPadCrop', padding=6)
train_pipeline = [load_image, _crop, *_base_.train_pipeline[2:]]
test_pipeline = [load_image, *_base_.test_pipeline[1:]]

_data = dict(type='SyntheticSYSU', data_root='data/synthetic_small', size='small', cache='ram')
_split = dict(**_data, split='trainval', num_heldout_ids=20)
_loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(**_loader, dataset=dict(**_split, pipeline=train_pipeline))
val_dataloader = dict(
    **_loader,
    batch_size=64,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmvireid.reid_collate'),
    dataset=dict(**_split, heldout=True, pipeline=test_pipeline),
)
test_dataloader = dict(**_loader, dataset=dict(**_data, split='test', pipeline=test_pipeline))
val_evaluator = dict(type='SYSUMetric', modes=['all'], shots=[1])
test_evaluator = dict(type='SYSUMetric')
val_cfg = dict()
