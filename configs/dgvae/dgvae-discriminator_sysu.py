# Table 3, row 2: feature maps are rebuilt, and a PatchGAN discriminator judges them.
_base_ = 'dgvae_sysu.py'
model = dict(
    discriminator=dict(type='PatchDiscriminator', base_channels=128, num_layers=1),
    losses=dict(adversarial=dict(type='AdversarialLoss')),
    loss_weights=dict(adversarial=0.1, discriminator_real=0.5, discriminator_fake=0.5),
)
_stage_1, _stage_2, _stage_3 = _base_.stages
default_hooks = dict(stage=dict(stages=[dict(_stage_1, updates=['vae']), _stage_2, _stage_3]))
optim_wrapper = dict(
    discriminator=dict(
        modules=['discriminator'], optimizer=_base_.optim_wrapper.autoencoder.optimizer
    )
)
