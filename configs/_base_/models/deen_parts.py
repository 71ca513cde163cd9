# DEEN, but for the backbone: AGW with average pooling and batch-hard triplets, its two terms, and
# what is done to the images. Grey stands before the crop in the release; black borders stay black.
_base_ = '../variants/deen.py'  # and the augmentations
_a = _base_._augmentations
_view = dict(augmentations=[_a.grey, _a.erasing_d])
_deen = dict(
    type='DEEN',
    channels_last=True,
    flip_test=True,  # as released
    data_preprocessor=dict(common=[_a.crop, _a.flip], views=dict(visible=_view, infrared=_view)),
    neck=dict(type='BNNeck', pooling=dict(type='AveragePooling')),
    head=dict(type='IdentityHead'),
    identity_loss=dict(type='IdentityLoss'),
    triplet_loss=dict(type='BatchHardTripletLoss', margin=0.3),
    center_loss=dict(type='CenterPairMiningLoss', margin=0.2),
    orthogonality_loss=dict(type='BranchOrthogonalityLoss'),
    loss_weights=dict(identity=1.0, triplet=1.0, center=0.8, orthogonality=0.01),
)
