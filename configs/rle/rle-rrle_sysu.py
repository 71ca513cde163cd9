_base_ = 'rle_sysu.py'
model = _base_._variants.rrle.model
