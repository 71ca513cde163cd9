# The plain sum of the three directions ("TDR").
_base_ = ['hat_sysu.py', '../_base_/variants/hat.py']
model = _base_._variants.unweighted.model
