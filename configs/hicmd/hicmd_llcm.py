_base_ = ['../_base_/methods/hicmd.py', '../_base_/datasets/llcm.py']
model = dict(feature_module=dict(head=dict(num_ids=_base_.num_ids)))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
