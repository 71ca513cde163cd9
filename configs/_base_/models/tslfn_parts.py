# TSLFN+HC, but for the backbone: six stripes, each with a reduction to 512 and a classifier of its
# own.
_tslfn = dict(
    type='StripedReID',
    channels_last=True,
    unit_parts=True,  # each stripe's feature has length 1 before they are put in a row
    neck=dict(
        type='StripeNeck',
        num_stripes=6,
        pooling=dict(type='AveragePooling'),
        channels=512,
        init_mode='fan_out',
        bn_bias=True,
        overlap=True,
    ),
    head=dict(type='PartHeads', part=dict(type='IdentityHead', bias=True, negative_slope=0.1)),
    identity_loss=dict(type='IdentityLoss'),
    center_loss=dict(type='HeteroCenterLoss', margin=0.0, normalize=True),
    # sums over the stripes; the second is a sum over the identities of a batch, too
    loss_weights=dict(identity=1.0, center=0.5),
)
