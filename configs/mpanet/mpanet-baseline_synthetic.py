# One network, masks, identity and centre terms alone.
_base_ = ['mpanet_synthetic.py', '../_base_/variants/mpanet.py']
model = _base_._variants.baseline.model
del _base_.default_hooks.teacher
