# The same on rendered data: everything else is that of agw_synthetic.py.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/pmt_parts.py']
model = _base_._agw_pmt
train_dataloader = _base_._agw_pmt_loader
