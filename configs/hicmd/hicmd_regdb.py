_base_ = ['../_base_/methods/hicmd.py', '../_base_/datasets/regdb.py']
model = dict(feature_module=dict(head=dict(num_ids=_base_.num_ids)))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
# 100,000 iterations, rates halved every 25,000
train_cfg = dict(max_epochs=100)
param_scheduler = dict(step_size=25, end=100)
