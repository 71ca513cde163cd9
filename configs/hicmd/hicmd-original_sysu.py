# Table 2, row 4: features are learned from real images only.
_base_ = ['hicmd_sysu.py', '../_base_/models/hicmd_variants.py']
model = _base_.original_model
