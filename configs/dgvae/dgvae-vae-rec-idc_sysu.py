# Table 2, row 8: two-branch VAE with L_rec and L_idc.
_base_ = 'dgvae-vae_sysu.py'
model = dict(loss_weights=dict(cycle=0.0))
