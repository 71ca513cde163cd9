# expAT on rendered data, with the network, size, batches and schedule of agw_synthetic.py.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/expat_parts.py']
model = dict(
    _base_._expat,
    _delete_=True,
    backbone=dict(_base_.model.backbone, split='none', non_local=None),
    head=dict(_base_._expat.head, num_ids=_base_.num_ids),
)
train_dataloader = dict(batch_sampler=dict(replace=False))
