# RLE on rendered data, with the network, size and schedule of agw_synthetic.py. Its maps have 8
# rows, which three stripes do not divide: they overlap, 4 rows each.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/rle_parts.py']
model = dict(
    _base_._rle,
    _delete_=True,
    **_base_._variants.full.model,
    backbone=dict(_base_.model.backbone, non_local=None),
    neck=dict(_base_._rle.neck, overlap=True),
    head=dict(_base_._rle.head, num_ids=_base_.num_ids),
)
