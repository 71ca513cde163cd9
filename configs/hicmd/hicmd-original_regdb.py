# Table 2, row 4: features are learned from real images only.
_base_ = ['hicmd_regdb.py', '../_base_/variants/hicmd.py']
model = _base_._variants.original.model
