# VGG-16 of a quarter of its widths, for losses that compare pictures as a network sees them.
_base_ = 'resnet18_rendered.py'
model = dict(
    extractor=dict(_delete_=True, type='VGG16Features', base_channels=16),
    # without BatchNorm ten layers of PyTorch's own initial weights let nothing through
    init_cfg=dict(type='Kaiming', layer='Conv2d', mode='fan_in'),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
