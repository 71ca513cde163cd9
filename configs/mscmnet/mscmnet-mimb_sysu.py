# The attention across the levels, without the center term.
_base_ = ['mscmnet_sysu.py', '../_base_/variants/mscmnet.py']
model = _base_._variants.mimb.model
