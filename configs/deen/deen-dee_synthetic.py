# The branches and what compares them, without the aggregation of features.
_base_ = 'deen_synthetic.py'
model = dict(backbone=dict(plugins=dict(_delete_=True, layer2=_base_._dee)))
