# XIV on rendered data: everything but the model is that of agw_synthetic.py, the schedule too.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/xiv_parts.py']
model = _base_._xiv
train_dataloader = dict(batch_sampler=dict(replace=False))
