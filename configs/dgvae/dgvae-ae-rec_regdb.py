# Table 2, row 4: two-branch auto-encoder with L_rec only.
_base_ = 'dgvae-ae_regdb.py'
model = _base_._variants.ae_rec.model
