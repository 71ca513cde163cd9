# DEEN on AGW's two stems, without non-local blocks. `model.head.num_ids` comes with the data set.
_base_ = 'deen_parts.py'
model = dict(
    _base_._deen,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='stem',
        last_stride=1,
        plugins=dict(layer1=_base_._mfa, layer2=_base_._mfa, layer3=[_base_._mfa, _base_._dee]),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
