# Table 2, row 1: extractors and identity encoder with the task terms of the means alone.
_base_ = 'dgvae-mog-margin_sysu.py'
model = _base_.dgvae_variants.baseline
_stages = [dict(name='identity', frozen=['ambiguous_encoder', 'decoder', 'mixture_prior'])]
default_hooks = dict(stage=dict(stages=_stages))
