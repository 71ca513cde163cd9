# Table 2, row 4: features are learned from real images only.
_base_ = 'hicmd_sysu.py'
model = dict(sampling='original')
