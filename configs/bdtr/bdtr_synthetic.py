# BDTR on rendered data: two whole networks of three stages of ResNet-18, 16 identities x (1 + 1)
# images; the rest, the schedule too, is that of agw_synthetic.py.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/bdtr_parts.py']
model = dict(
    _base_._bdtr,
    _delete_=True,
    backbone=dict(_base_.model.backbone, split='layer3', non_local=None),
    head=dict(_base_._bdtr.head, num_ids=_base_.num_ids),
)
train_dataloader = dict(batch_sampler=dict(num_ids=16, num_instances=1, replace=False))
