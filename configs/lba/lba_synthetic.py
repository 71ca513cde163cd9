# LbA on rendered data, with the network, augmentation, batches and schedule of agw_synthetic.py.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/lba_parts.py']
model = _base_._lba
