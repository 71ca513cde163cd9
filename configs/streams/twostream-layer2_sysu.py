_base_ = 'twostream_sysu.py'
model = _base_._variants.layer2.model
