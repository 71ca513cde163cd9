# TSLFN+HC on rendered data, with the network, size, batches, crop and schedule of agw_synthetic.py;
# its maps have 8 rows, four stripes of two.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/tslfn_parts.py']
model = dict(
    _base_._tslfn,
    _delete_=True,
    backbone=dict(_base_.model.backbone, split='layer3', non_local=None),
    neck=dict(_base_._tslfn.neck, num_stripes=4),
    head=dict(_base_._tslfn.head, num_ids=_base_.num_ids),
)
train_dataloader = dict(batch_sampler=dict(replace=False))
