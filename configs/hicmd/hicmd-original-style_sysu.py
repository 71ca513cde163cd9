# Table 2, row 2: real images only, of which the style alone is used.
_base_ = 'hicmd-original_sysu.py'
model = dict(feature_module=dict(trunk=None, mix=dict(codes=['style'])))
