# Table 3, row 4: images are rebuilt, and a PatchGAN discriminator of 70 x 70 pixels judges them.
_base_ = 'dgvae-discriminator_regdb.py'
model = _base_._variants.image_discriminator.model
