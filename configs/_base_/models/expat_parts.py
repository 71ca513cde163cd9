# expAT, but for the backbone: a BN-neck per modality, one classifier with smoothed labels, and the
# exponential angular triplet loss.
_expat = dict(
    type='ExpAT',
    channels_last=True,
    neck=dict(type='ModalityBNNeck', pooling=dict(type='AveragePooling')),
    head=dict(type='IdentityHead'),
    identity_loss=dict(type='IdentityLoss', label_smoothing=0.1),
    angle_loss=dict(type='ExpAngleTripletLoss', margin=1.0, mining='random'),
    loss_weights=dict(identity=1.0, angle=1.0),
)
