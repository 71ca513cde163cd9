# MSCMNet on ResNet-50: two stems for each modality, AGW's non-local blocks with half the channels
# inside, and attention behind layer3, at the size of images of 384 x 192. `model.head.num_ids`
# comes with the data set.
_base_ = 'mscmnet_parts.py'
model = dict(
    _base_._mscmnet,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='stem',
        last_stride=1,
        non_local=dict(layer2=2, layer3=3),
        non_local_inner=None,
        plugins=dict(layer3=dict(_base_._mimb, map_size=(24, 12), num_heads=32)),
        num_stems=2,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
