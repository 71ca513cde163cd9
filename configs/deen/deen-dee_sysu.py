# The branches and what compares them, without the aggregation of features.
_base_ = 'deen_sysu.py'
model = dict(backbone=dict(plugins=dict(_delete_=True, layer3=_base_._dee)))
