# As released: distances of centres with exchanged lengths, no ReLU in the stem.
_base_ = ['xiv_synthetic.py', '../_base_/variants/xiv.py']
model = _base_._variants.released.model
