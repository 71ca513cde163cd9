_base_ = 'pmt_synthetic.py'
model = _base_._variants.baseline.model
del _base_.default_hooks.stage
