# Neither attention across the levels nor the center term: four stems, four views, identities.
_base_ = ['mscmnet_sysu.py', '../_base_/variants/mscmnet.py']
model = _base_._variants.base.model
