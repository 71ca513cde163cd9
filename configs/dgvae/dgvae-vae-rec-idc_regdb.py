# Table 2, row 8: two-branch VAE with L_rec and L_idc.
_base_ = 'dgvae_regdb.py'
model = _base_.dgvae_variants.vae_rec_idc
