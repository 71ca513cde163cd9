# RLE's baseline on AGW's two stems, without non-local blocks. `model.head.num_ids` comes with the
# data set.
_base_ = 'rle_parts.py'
model = dict(
    _base_._rle,
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='stem',
        last_stride=1,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
)
