# Table 3, row 2: feature maps are rebuilt, and a PatchGAN discriminator judges them.
_base_ = 'dgvae_sysu.py'
model = _base_.dgvae_variants.discriminator
_stage_1, _stage_2, _stage_3 = _base_.stages
default_hooks = dict(stage=dict(stages=[dict(_stage_1, updates=['vae']), _stage_2, _stage_3]))
_adam = _base_.optim_wrapper.autoencoder.optimizer
optim_wrapper = dict(discriminator=dict(modules=['discriminator'], optimizer=_adam))
