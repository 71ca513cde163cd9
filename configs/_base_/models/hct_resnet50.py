# HCT on ResNet-50 with stem and layer1 per modality. `model.head.num_ids` comes with the data set.
_base_ = 'hct_parts.py'
model = dict(
    _base_._hct,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='layer1',
        last_stride=1,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
