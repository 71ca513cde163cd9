# The distances of centres as released, the rest as meant.
_base_ = ['xiv_sysu.py', '../_base_/variants/xiv.py']
model = _base_._variants.released_loss.model
