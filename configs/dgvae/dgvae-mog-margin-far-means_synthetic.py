# Not in the paper: row 3 without the normalisation of the identity means. In its place, class means
# are far apart from the start and hardly move, and the divergence has a sixteenth of its weight.
_base_ = 'dgvae-mog-margin_synthetic.py'
model = _base_._variants.mog_margin_far_means.model
_prior = dict(custom_keys=dict(mixture_prior=dict(lr_mult=1)))
optim_wrapper = dict(autoencoder=dict(paramwise_cfg=_prior))
