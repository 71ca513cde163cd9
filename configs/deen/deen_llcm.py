_base_ = ['../_base_/methods/deen.py', '../_base_/datasets/llcm.py']
model = dict(_base_._variants.small_erasing.model, head=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
