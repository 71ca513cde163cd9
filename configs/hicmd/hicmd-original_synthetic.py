# Table 2, row 4: features are learned from real images only.
_base_ = 'hicmd_synthetic.py'
model = dict(sampling='original')
