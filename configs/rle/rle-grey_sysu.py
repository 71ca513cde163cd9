_base_ = 'rle_sysu.py'
model = _base_._variants.grey.model
