# BDTR but for the backbone: a vector of 512 numbers of each image, its classifier, and the ranking
# in both directions. `head.num_ids` comes with the data set.
_bdtr = dict(
    type='StripedReID',
    channels_last=True,
    neck=dict(
        type='StripeNeck',
        num_stripes=1,
        pooling=dict(type='AveragePooling'),
        channels=512,
        init_mode='fan_out',
        bn_bias=True,
    ),
    head=dict(type='PartHeads', part=dict(type='IdentityHead', bias=True, negative_slope=0.1)),
    identity_loss=dict(type='IdentityLoss'),
    center_loss=dict(
        type='DualRankingLoss', margin=0.5, intra_margin=0.1, intra_weight=0.1, normalize=True
    ),
    loss_weights=dict(identity=1.0, center=1.0),
)
