# Table 3, row 2: feature maps are rebuilt, and a PatchGAN discriminator judges them.
_base_ = ['dgvae_regdb.py', '../_base_/variants/dgvae.py']
model = _base_._variants.discriminator.model
_base_.default_hooks.stage.stages[0].update(_base_._variants.discriminator.stage_1)
optim_wrapper = _base_._variants.discriminator.optim_wrapper
optim_wrapper.discriminator.optimizer = _base_.optim_wrapper.autoencoder.optimizer
