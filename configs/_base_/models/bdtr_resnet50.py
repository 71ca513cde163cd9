# BDTR on two whole ResNet-50s, one for each modality.
_base_ = 'bdtr_parts.py'
model = dict(
    _base_._bdtr,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='layer4',
        last_stride=2,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
