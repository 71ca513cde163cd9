# Visible and infrared centres compared, without X.
_base_ = ['xiv_sysu.py', '../_base_/variants/xiv.py']
model = _base_._variants.no_x.model
