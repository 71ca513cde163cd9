_base_ = 'twostream_sysu.py'
model = _base_._variants.separate.model
