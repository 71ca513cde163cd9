# Table 2, row 7: two-branch VAE with L_rec only.
_base_ = 'dgvae_sysu.py'
model = _base_.dgvae_variants.vae_rec
