# XIV on rendered data: everything but the model is that of agw_synthetic.py, the schedule too; so
# nothing is erased.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/xiv_parts.py']
model = dict(_base_._xiv, data_preprocessor=None)
train_dataloader = dict(batch_sampler=dict(replace=False))
