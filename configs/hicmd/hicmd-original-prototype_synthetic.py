# Table 2, row 3: real images only, of which the prototype alone is used.
_base_ = 'hicmd-original_synthetic.py'
model = dict(feature_module=dict(mix=dict(codes=['prototype'])))
