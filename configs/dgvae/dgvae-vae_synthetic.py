# Table 2, row 9: baseline + triplet swap reconstruction; the ambiguous code alone is sampled.
_base_ = 'dgvae_synthetic.py'
_unused = ['mixture', 'margin', 'identity_sampled', 'triplet_sampled']
model = dict(sampled=['ambiguous'], loss_weights=dict.fromkeys(_unused, 0.0))
