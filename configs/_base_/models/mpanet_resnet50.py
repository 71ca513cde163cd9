# MPANet on one ResNet-50 for both modalities. `model.head.num_ids` comes with the data set.
_base_ = 'mpanet_parts.py'
model = dict(
    _base_._mpanet,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='none',
        last_stride=1,
        plugins=dict(
            layer3=dict(type='ModalityAlleviationPlugin'),
            layer4=dict(type='ModalityAlleviationPlugin'),
        ),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
