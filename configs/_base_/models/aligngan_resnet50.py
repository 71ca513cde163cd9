# AlignGAN at the release's sizes: images of 128 x 128 for generators and discriminators, of
# 384 x 192 for the ResNet-50 behind them. `model.feature_module.classifier.num_ids` comes with the
# data set.
image_size = (128, 128)
model = dict(
    type='AlignGAN',
    input_size=image_size,
    # values in [-1, 1], as the generators make them
    data_preprocessor=dict(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    feature_module=dict(
        type='IdentityNetwork',
        size=(384, 192),
        extractor=dict(
            type='ResNetExtractor',
            depth=50,
            num_stages=4,
            last_stride=1,
            init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
        ),
        classifier=dict(type='BottleneckIdentityHead', dropout=0.5, order='paper'),
        embedding_size=256,
    ),
    translator=dict(
        type='TranslationGenerator', base_channels=64, num_blocks=4, running_statistics=False
    ),
    image_discriminator=dict(type='StridedDiscriminator', base_channels=64, num_layers=5),
    joint_discriminator=dict(type='JointDiscriminator', base_channels=64, feature_width=64),
    pixel_pairs=['real', 'fake'],  # Eq. 9
    feature_pairs=['real', 'fake'],  # Eq. 10
    losses=dict(
        identity=dict(type='IdentityLoss'),
        triplet=dict(type='CosineSimilarityTripletLoss', margin=1.0),
        adversarial=dict(type='AdversarialLoss', form='lsgan'),
    ),
    loss_weights=dict(
        # feature module, Eq. 6
        identity=1.0,
        triplet=1.0,
        feature_adversarial=0.1,  # lambda_gan^feat
        # pixel module, Eq. 4
        cycle=10.0,  # lambda_cyc
        identity_map=0.0,  # 5 in the release
        pixel_identity=1.0,  # lambda_id^pix
        pixel_triplet=0.5,  # lambda_id^pix times the 1/2 of Eq. 2
        visible_adversarial=1.0,
        infrared_adversarial=1.0,
        # discriminators
        visible_real=0.5,
        visible_fake=0.5,
        infrared_real=0.5,
        infrared_fake=0.5,
        joint_real=0.5,
        joint_fake=0.5,
    ),
)
