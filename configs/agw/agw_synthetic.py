# AGW on rendered data, sized for two CPU cores: three stages of ResNet-18, bf16, images of
# 128 x 64, 400 iterations of 8 identities x (2 + 2) images: 1 to 3 minutes.
_base_ = [
    '../_base_/models/agw_resnet50.py',
    '../_base_/datasets/synthetic.py',
    '../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(
        depth=18,
        num_stages=3,  # layer4 has most of the weights and is half of the cost at this size
        last_stride=2,  # a quarter of the positions in the last stage, for two cores
        non_local=dict(_delete_=True, layer2=1),  # one of five: the rest is cost at this size
        init_cfg=_base_.pretrained,
    ),
    head=dict(num_ids=_base_.num_ids),
)
# In the same time, twice as many batches of half the size end better than the reverse.
_batches = dict(num_instances=2, num_batches=80, replace=True)
train_dataloader = dict(batch_size=32, batch_sampler=_batches)
train_cfg = dict(type='ResumableTrainLoop', max_epochs=5, val_interval=5)
# 400 iterations are few for the release's SGD, and for a smaller rate: see README.md.
optim_wrapper = dict(
    type='AutocastOptimWrapper', optimizer=dict(type='Adam', lr=1e-3, weight_decay=5e-4)
)
# a decay that has no steps to place in so few epochs
_by_iter = dict(by_epoch=True, convert_to_iter_based=True)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=1, **_by_iter),
    dict(type='CosineAnnealingLR', begin=1, end=5, **_by_iter),
]
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=5))
