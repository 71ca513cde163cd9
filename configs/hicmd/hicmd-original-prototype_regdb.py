# Table 2, row 3: real images only, of which the prototype alone is used.
_base_ = 'hicmd-original_regdb.py'
model = _base_._variants.original_prototype.model
