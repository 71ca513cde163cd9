# Table 2, row 7: two-branch VAE with L_rec only.
_base_ = ['dgvae_sysu.py', '../_base_/variants/dgvae.py']
model = _base_._variants.vae_rec.model
