_base_ = 'onestream_synthetic.py'
model = _base_._variants.grey.model
