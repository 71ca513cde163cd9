# Table 2, row 11: the full model without L_lmc.
_base_ = ['dgvae_synthetic.py', '../_base_/variants/dgvae.py']
model = _base_._variants.no_margin.model
