# Table 2, row 9: two-branch VAE with triplet swap reconstruction; one standard Gaussian, for the
# ambiguous code; the identity code is not sampled and has no prior.
_base_ = 'dgvae_sysu.py'
_unused = ['mixture', 'margin', 'identity_sampled', 'triplet_sampled']
model = dict(sampled=['ambiguous'], loss_weights=dict.fromkeys(_unused, 0.0))
