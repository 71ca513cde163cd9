_base_ = 'rle_synthetic.py'
model = _base_._variants.base.model
