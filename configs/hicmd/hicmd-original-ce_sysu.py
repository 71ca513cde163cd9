# Table 2, row 1: real images only, and no triplets.
_base_ = 'hicmd-original_sysu.py'
model = _base_._variants.original_ce.model
