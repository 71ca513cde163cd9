# Not in the paper: row 1 without the normalisation of the identity means.
_base_ = 'dgvae-baseline_sysu.py'
model = _base_._variants.baseline_no_norm.model
