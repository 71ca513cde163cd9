# TSLFN+HC on two ResNet-50 that share nothing. `model.head.num_ids` comes with the data set.
_base_ = 'tslfn_parts.py'
model = dict(
    _base_._tslfn,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='layer4',
        last_stride=1,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
