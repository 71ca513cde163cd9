# Table 2, row 11: the full model without L_lmc.
_base_ = 'dgvae_synthetic.py'
model = _base_.dgvae_variants.no_margin
