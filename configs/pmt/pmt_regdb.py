# 36 epochs, of which again the first 6 see grey images.
_base_ = ['../_base_/methods/pmt.py', '../_base_/datasets/regdb.py']
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
param_scheduler = [dict(_base_.param_scheduler[0], end=36)]
train_cfg = dict(max_epochs=36)
