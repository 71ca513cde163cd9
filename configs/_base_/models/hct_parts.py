# HCT, but for the backbone: six stripes, each with a reduction to 256 and a classifier of its own;
# the terms as released for SYSU-MM01. What RegDB has instead is in its config.
_hct = dict(
    type='StripedReID',
    channels_last=True,
    neck=dict(
        type='StripeNeck',
        num_stripes=6,
        pooling=dict(type='GeMPooling', p=3.0),
        channels=256,
        relu=True,
        bn_bias=True,
    ),
    head=dict(type='PartHeads', part=dict(type='IdentityHead', bias=True)),
    identity_loss=dict(type='IdentityLoss'),
    center_loss=dict(type='HeteroCenterTripletLoss', margin=0.3),
    # the first two are sums over the stripes
    loss_weights=dict(identity=1.0, center=1.0, joint_center=1.0),
)
