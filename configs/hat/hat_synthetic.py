# HAT on rendered data: everything but the model is that of agw_synthetic.py, the schedule too.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/hat_parts.py']
model = _base_._hat
train_dataloader = dict(batch_sampler=dict(replace=False))
