# MSCMNet, but for the backbone: GeM, BN-neck, its center term, and what is done to the images of
# each view. Grey and brightness stand before the crop in the release; black borders stay black.
_base_ = '../augmentations.py'
_a = _base_._augmentations
_mscmnet = dict(
    type='MSCMNet',
    channels_last=True,
    data_preprocessor=dict(
        common=[_a.crop, _a.flip],
        views=dict(
            visible=dict(augmentations=[_a.grey, _a.erasing_a]),
            exchanged=dict(modality='visible', augmentations=[_a.erasing_a, _a.channel_exchange]),
            infrared=dict(augmentations=[_a.erasing_a, _a.adaptive_grey_two]),
            scaled=dict(
                modality='infrared',
                augmentations=[_a.brightness, _a.erasing_a, _a.channel_scaling],
            ),
        ),
    ),
    neck=dict(type='BNNeck', pooling=dict(type='GeMPooling', p=3.0)),
    head=dict(type='IdentityHead'),
    identity_loss=dict(type='IdentityLoss'),
    center_loss=dict(type='QuadrupleCenterLoss', margin=0.7),
    loss_weights=dict(identity=1.0, center=1.0),
)
_mimb = dict(type='CrossLevelAttentionPlugin')
