# Table 2, row 7: two-branch VAE with L_rec only.
_base_ = 'dgvae-vae_sysu.py'
model = dict(loss_weights=dict(identity_consistency=0.0, cycle=0.0))
