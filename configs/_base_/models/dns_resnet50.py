# DNS on ResNet-50 with stem, layer1 and layer2 per modality. `model.head.num_ids` comes with the
# data set.
_base_ = 'dns_parts.py'
model = dict(
    _base_._dns,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='layer2',
        last_stride=1,
        plugins=dict(
            layer3=dict(type='StripAttentionPlugin'), layer4=dict(type='StripAttentionPlugin')
        ),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
