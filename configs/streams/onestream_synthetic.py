# On rendered data, with the network, size, batches and schedule of agw_synthetic.py.
_base_ = ['../agw/agw-base_synthetic.py', '../_base_/variants/streams.py']
model = _base_._variants.onestream.model
