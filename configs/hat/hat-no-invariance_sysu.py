# No invariance term.
_base_ = ['hat_sysu.py', '../_base_/variants/hat.py']
model = _base_._variants.no_invariance.model
