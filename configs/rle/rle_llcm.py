_base_ = ['../_base_/methods/rle.py', '../_base_/datasets/llcm.py']
model = dict(_base_._variants.full_and_grey.model, head=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
