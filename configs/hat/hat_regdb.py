_base_ = ['../_base_/methods/hat.py', '../_base_/datasets/regdb.py']
model = dict(head=dict(num_ids=_base_.num_ids))
