# Table 2, row 8: two-branch VAE with L_rec and L_idc.
_base_ = ['dgvae_sysu.py', '../_base_/variants/dgvae.py']
model = _base_._variants.vae_rec_idc.model
