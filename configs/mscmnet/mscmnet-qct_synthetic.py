# The center term, without attention across the levels.
_base_ = ['mscmnet_synthetic.py', '../_base_/variants/mscmnet.py']
model = _base_._variants.qct.model
