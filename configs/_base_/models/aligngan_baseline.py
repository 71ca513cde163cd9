# AlignGAN's Basel., whatever the data set: real images of both modalities, identity and triplet
# losses, the feature module alone.
_base_ = ['aligngan_resnet50.py', 'aligngan_separate.py']
model = dict(
    _base_.separate_model,
    translator=None,
    image_discriminator=None,
    feature_discriminator=None,
    loss_weights=dict(
        _base_.separate_model.loss_weights,
        **_base_.untranslated_model.loss_weights,
        **_base_.unaligned_weights,
    ),
)
_feature = _base_.aligngan_batches.batch_sampler.blocks.feature
aligngan_batches = dict(
    batch_size=2 * _feature.num_ids * _feature.num_instances,
    batch_sampler=dict(blocks=dict(_delete_=True, feature=_feature)),
)
