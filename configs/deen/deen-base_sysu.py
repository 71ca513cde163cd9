# No plug-in: AGW's "base" with DEEN's images and feature.
_base_ = 'deen_sysu.py'
model = _base_._variants.base.model
