# CAJ on rendered data: everything but the views and the triplet term is that of agw_synthetic.py,
# the schedule and the size of the crop too. This network's embeddings are about 35 apart: there the
# released weights leave the triplet term no gradient at all, so those of the equation are taken.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/caj_parts.py']
_views = _base_._caj.data_preprocessor
_crop = dict(_views.common[0], padding=6)
model = dict(
    _base_._caj,
    data_preprocessor=dict(_views, common=[_crop, _views.common[1]]),
    triplet_loss=dict(_base_._caj.triplet_loss, eps_mode='softmin'),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
