# The aggregation of features alone.
_base_ = 'deen_synthetic.py'
model = dict(_base_._variants.one_branch.model, backbone=dict(plugins=dict(layer2=[_base_._mfa])))
