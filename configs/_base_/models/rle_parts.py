# RLE's baseline, but for the backbone: three stripes and the whole map, a BN-neck and a classifier
# for each, and the means over the stripes. And what RLE and its ladder do to the images.
_base_ = '../variants/rle.py'
_rle = dict(
    type='StripedReID',
    channels_last=True,
    flip_test=True,  # as released
    neck=dict(type='StripeNeck', num_stripes=3, pooling=dict(type='AveragePooling'), whole=True),
    head=dict(type='PartHeads', part=dict(type='IdentityHead')),
    identity_loss=dict(type='IdentityLoss'),
    triplet_loss=dict(type='BatchHardTripletLoss', margin=0.3),
    loss_weights=dict(identity=1 / 3, triplet=1 / 3, whole_identity=1.0, whole_triplet=1.0),
)
