# Table 2, row 10: a standard Gaussian is the prior of both codes (L_ambi on both).
_base_ = 'dgvae_sysu.py'
model = dict(loss_weights=dict(mixture=0.0, margin=0.0, identity_gaussian=0.01))
