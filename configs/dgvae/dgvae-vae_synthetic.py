# Table 2, row 9: two-branch VAE with triplet swap reconstruction; one standard Gaussian, for the
# ambiguous code; the identity code is not sampled and has no prior.
_base_ = ['dgvae_synthetic.py', '../_base_/variants/dgvae.py']
model = _base_._variants.vae.model
