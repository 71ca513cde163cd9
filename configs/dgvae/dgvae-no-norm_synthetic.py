# Not in the paper: the full model without the normalisation of the identity means.
_base_ = 'dgvae_synthetic.py'
model = _base_.dgvae_variants.no_norm
