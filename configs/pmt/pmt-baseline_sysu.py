# The transformer with identity and triplet terms, colour from the start.
_base_ = 'pmt_sysu.py'
model = _base_._variants.baseline.model
del _base_.default_hooks.stage
