# Table 2, row 5: two-branch auto-encoder with L_rec and L_idc.
_base_ = 'dgvae-ae_sysu.py'
model = _base_._variants.ae_rec_idc.model
