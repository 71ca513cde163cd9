# Hi-CMD at the release's sizes: images of 256 x 128. `model.feature_module.head.num_ids` comes with
# the data set.
image_size = (256, 128)
_imagenet = dict(type='Pretrained', checkpoint='torchvision://resnet50')
model = dict(
    type='HiCMD',
    input_size=image_size,
    prototype_encoder=dict(type='PrototypeEncoder', base_channels=32, num_blocks=4),
    attribute_encoder=dict(
        type='AttributeEncoder',
        extractor=dict(type='ResNetExtractor', depth=50, num_stages=4, init_cfg=_imagenet),
        num_blocks=4,  # of the decoder
        shares=(2, 1, 1),  # style, pose and illumination: 1024, 512 and 512 of 2048
    ),
    decoder=dict(type='AttributeDecoder'),
    discriminator=dict(
        type='MultiScaleDiscriminator', base_channels=32, num_scales=3, num_blocks=4
    ),
    feature_module=dict(
        type='CodeIdentityNetwork',
        trunk=dict(type='ResNetTrunk', depth=50, stages=('layer2', 'layer3'), init_cfg=_imagenet),
        mix=dict(type='CodeMix', codes=['prototype', 'style'], form='sigmoid'),
        head=dict(type='FeatureIdentityHead', feature_size=2048, dropout=0.5),
    ),
    sampling='alternate',
    cycle='all',  # Eq. 3
    own_style=True,  # Eq. 2
    detach_fakes=True,
    erasing=dict(p=0.5, scale=(0.02, 0.4), ratio=(0.3, 1 / 0.3)),
    losses=dict(
        identity=dict(type='IdentityLoss'),
        triplet=dict(type='BatchHardTripletLoss', margin=0.5, normalize=True),
        adversarial=dict(type='AdversarialLoss', form='lsgan'),
        r1=dict(type='R1Loss'),
    ),
    loss_weights=dict(
        # images, Eqs. 5 and 10
        cross=50.0,  # lambda_1
        same=50.0,  # lambda_2
        cycle=50.0,  # lambda_3
        code=10.0,  # lambda_4
        prior=1.0,  # lambda_kl
        adversarial=20.0,  # lambda_adv
        # identities
        identity=1.0,  # lambda_ce
        triplet=1.0,  # lambda_trip
        # discriminators: lambda_adv; real images and R1 (0.01) count once per fake, that is twice
        visible_real=40.0,
        visible_fake=20.0,
        visible_r1=0.4,
        infrared_real=40.0,
        infrared_fake=20.0,
        infrared_r1=0.4,
    ),
)
