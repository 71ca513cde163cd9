# The aggregation of features alone.
_base_ = 'deen_sysu.py'
model = dict(_base_._variants.one_branch.model, backbone=dict(plugins=dict(layer3=[_base_._mfa])))
