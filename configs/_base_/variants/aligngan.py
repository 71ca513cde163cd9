# The rows of AlignGAN's Tables 3 and 4, whatever the data set: what each changes of the full
# method. A child of `aligngan_<data set>.py` takes what its row has,
# `model = _base_._variants.<row>.model`, `joint_stage` as its last stage, and drops the optimisers,
# hooks and images that the row has no use for.
_pixel = ['cycle', 'identity_map', 'pixel_identity', 'pixel_triplet']
_judged = [
    f'{modality}_{term}'
    for modality in ('visible', 'infrared')
    for term in ('adversarial', 'real', 'fake')
]
# infrared images and feature maps have a discriminator each
_judges = ['infrared_discriminator', 'feature_discriminator']
_separate = dict(
    type='SeparateAlignGAN',
    joint_discriminator=None,
    feature_discriminator=dict(type='StridedDiscriminator', base_channels=256, num_layers=2),
    loss_weights=dict(feature_real=0.5, feature_fake=0.5, joint_real=None, joint_fake=None),
)
_untranslated = dict(
    translator=None, image_discriminator=None, loss_weights=dict.fromkeys(_pixel + _judged)
)
# without the pixel module and its stage
_short = dict(
    train_dataloader=dict(batch_size=144),
    param_scheduler=dict(milestones=[100], end=150),
    train_cfg=dict(max_epochs=150),
)
_variants = dict(
    pixalign=dict(model=dict(loss_weights=dict(feature_adversarial=0.0))),
    separate=dict(
        model=_separate,
        joint_stage=dict(updates=['reid', 'generators', 'visible_discriminator', *_judges]),
        # trained as the joint one is
        judges=_judges,
    ),
    # a child of `separate`
    featalign=dict(
        **_short,
        model=_untranslated,
        joint_stage=dict(name='C joint', updates=['reid', 'feature_discriminator']),
        optimizers=['constructor', 'reid', 'feature_discriminator'],
    ),
    baseline=dict(
        **_short,
        model=dict(
            _separate,
            translator=None,
            image_discriminator=None,
            feature_discriminator=None,
            loss_weights=dict(
                _separate['loss_weights'] | _untranslated['loss_weights'],
                feature_adversarial=0.0,
                feature_real=None,
                feature_fake=None,
            ),
        ),
        joint_stage=dict(name='C joint', updates=['reid']),
        optimizers=['constructor', 'reid'],
    ),
)
