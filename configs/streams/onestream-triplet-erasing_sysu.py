_base_ = 'onestream-triplet_sysu.py'
model = _base_._variants.erasing.model
