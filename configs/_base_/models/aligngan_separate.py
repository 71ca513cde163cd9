# What AlignGAN's variants without a joint discriminator change: a config puts it over the model and
# the table of stages of its AlignGAN.
separate_model = dict(
    type='SeparateAlignGAN',
    joint_discriminator=None,
    feature_discriminator=dict(type='StridedDiscriminator', base_channels=256, num_layers=2),
    loss_weights=dict(feature_real=0.5, feature_fake=0.5, joint_real=None, joint_fake=None),
)
separate_discriminators = ['infrared_discriminator', 'feature_discriminator']
separate_updates = ['reid', 'generators', 'visible_discriminator', *separate_discriminators]
# without a translator
_pixel = ['cycle', 'identity_map', 'pixel_identity', 'pixel_triplet']
_judged = [
    f'{modality}_{term}'
    for modality in ('visible', 'infrared')
    for term in ('adversarial', 'real', 'fake')
]
untranslated_model = dict(
    translator=None, image_discriminator=None, loss_weights=dict.fromkeys(_pixel + _judged)
)
# without a discriminator of feature maps
unaligned_weights = dict(feature_adversarial=0.0, feature_real=None, feature_fake=None)
