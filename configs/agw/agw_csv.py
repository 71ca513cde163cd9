_base_ = ['../_base_/methods/agw.py', '../_base_/datasets/csv.py']
model = dict(head=dict(num_ids=_base_.num_ids))
train_dataloader = _base_.loading.train
train_cfg = dict(val_interval=9)
