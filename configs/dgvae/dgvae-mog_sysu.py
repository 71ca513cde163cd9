# Table 2, row 2: baseline + L_gmm.
_base_ = 'dgvae-mog-margin_sysu.py'
model = _base_._variants.mog.model
