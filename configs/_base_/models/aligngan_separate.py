# What AlignGAN's variants without a joint discriminator change: a config puts it over the model and
# the table of stages of its AlignGAN.
separate_model = dict(
    type='SeparateAlignGAN',
    joint_discriminator=None,
    feature_discriminator=dict(type='StridedDiscriminator', base_channels=256, num_layers=2),
    loss_weights=dict(feature_real=0.5, feature_fake=0.5),
)
separate_discriminators = ['infrared_discriminator', 'feature_discriminator']
separate_updates = ['reid', 'generators', 'visible_discriminator', *separate_discriminators]
# without a translator
untranslated_model = dict(translator=None, image_discriminator=None)
