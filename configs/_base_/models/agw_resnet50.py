# AGW: two stems, one trunk, non-local blocks of inner width 1 (as released), GeM, BN-neck.
# `model.head.num_ids` comes with the data set.
model = dict(
    type='AGW',
    channels_last=True,  # the format that convolutions are fastest in; False for PyTorch's own
    backbone=dict(
        type='TwoStreamResNet',
        depth=50,
        split='stem',
        last_stride=1,
        non_local=dict(layer2=2, layer3=3),
        non_local_inner=1,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='BNNeck', pooling=dict(type='GeMPooling', p=3.0)),
    head=dict(type='IdentityHead'),
    identity_loss=dict(type='IdentityLoss'),
    triplet_loss=dict(type='WeightedRegularizedTripletLoss', eps_mode='released'),
    loss_weights=dict(identity=1.0, triplet=1.0),
)
