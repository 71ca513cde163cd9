# No invariance term.
_base_ = ['hat_synthetic.py', '../_base_/variants/hat.py']
model = _base_._variants.no_invariance.model
