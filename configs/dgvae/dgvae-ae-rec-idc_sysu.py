# Table 2, row 5: two-branch auto-encoder with L_rec and L_idc.
_base_ = 'dgvae-ae_sysu.py'
model = dict(loss_weights=dict(cycle=0.0))
