# HCT on rendered data, with the network, size, batches and schedule of agw_synthetic.py; its maps
# have 8 rows, four stripes of two.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/hct_parts.py']
model = dict(
    _base_._hct,
    _delete_=True,
    backbone=dict(_base_.model.backbone, split='layer1', non_local=None),
    neck=dict(_base_._hct.neck, num_stripes=4),
    head=dict(_base_._hct.head, num_ids=_base_.num_ids),
)
