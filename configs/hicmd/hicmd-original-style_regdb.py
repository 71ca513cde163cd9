# Table 2, row 2: real images only, of which the style alone is used.
_base_ = 'hicmd-original_regdb.py'
model = _base_._variants.original_style.model
