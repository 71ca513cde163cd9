# AGW on rendered data, sized for two CPU cores: three stages of ResNet-18 from random weights,
# bf16, images of 128 x 64.
_base_ = [
    '../_base_/models/agw_resnet50.py',
    '../_base_/datasets/synthetic.py',
    '../_base_/default_runtime.py',
]
model = dict(
    channels_last=True,
    backbone=dict(
        depth=18,
        num_stages=3,  # layer4 has most of the weights and is half of the cost at this size
        last_stride=2,
        non_local=dict(_delete_=True, layer2=1),
        init_cfg=None,
    ),
    head=dict(num_ids=_base_.num_ids),
)
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=4)
optim_wrapper = dict(
    type='AutocastOptimWrapper', optimizer=dict(type='Adam', lr=1e-3, weight_decay=5e-4)
)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.1, begin=0, end=1, by_epoch=True, convert_to_iter_based=True
    ),
    dict(type='CosineAnnealingLR', begin=1, end=8, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=4))
