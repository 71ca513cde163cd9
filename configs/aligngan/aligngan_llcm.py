_base_ = ['../_base_/methods/aligngan.py', '../_base_/datasets/llcm.py']
model = dict(feature_module=dict(classifier=dict(num_ids=_base_.num_ids)))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
