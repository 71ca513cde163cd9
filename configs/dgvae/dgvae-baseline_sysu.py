# Table 2, row 1: extractors and identity encoder with the task terms of the means alone.
_base_ = 'dgvae-mog-margin_sysu.py'
model = _base_._variants.baseline.model
default_hooks = _base_._variants.baseline.default_hooks
