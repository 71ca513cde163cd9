# Table 2, row 1: extractors and identity encoder with the task terms of the means alone.
_base_ = 'dgvae-mog-margin_synthetic.py'
_unused = ['mixture', 'margin', 'identity_sampled', 'triplet_sampled']
model = dict(loss_weights=dict.fromkeys(_unused, 0.0))
_stages = [dict(name='identity', frozen=['ambiguous_encoder', 'decoder', 'mixture_prior'])]
default_hooks = dict(stage=dict(stages=_stages))
