_base_ = 'onestream_sysu.py'
model = _base_._variants.erasing.model
