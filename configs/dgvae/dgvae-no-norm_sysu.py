# Not in the paper: the full model without the normalisation of the identity means.
_base_ = ['dgvae_sysu.py', '../_base_/variants/dgvae.py']
model = _base_._variants.no_norm.model
