# Table 3, row 3: images are rebuilt, by four more transposed convolutions.
_base_ = ['dgvae_regdb.py', '../_base_/variants/dgvae.py']
model = _base_._variants.image.model
