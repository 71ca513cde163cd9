# Table 2, row 4: two-branch auto-encoder with L_rec only.
_base_ = 'dgvae-ae_sysu.py'
model = dict(loss_weights=dict(identity_consistency=0.0, cycle=0.0))
