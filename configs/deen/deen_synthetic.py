# DEEN on rendered data, with the network and batches of agw_synthetic.py: as on RegDB, a network of
# three stages, whose branches begin before layer3, and the smaller rectangles. The schedule is
# twelve times as long: the branches begin as noise, see README.md.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/deen_parts.py']
_a, _small = _base_._augmentations, _base_._variants.small_erasing.model.data_preprocessor
model = dict(
    _base_._deen,
    _delete_=True,
    backbone=dict(
        _base_.model.backbone,
        non_local=None,
        plugins=dict(layer1=_base_._mfa, layer2=[_base_._mfa, _base_._dee]),
    ),
    data_preprocessor=dict(_small, common=[dict(_a.crop, padding=6), _a.flip]),
    head=dict(_base_._deen.head, num_ids=_base_.num_ids),
)
train_dataloader = dict(
    batch_sampler=dict(num_batches=960), dataset=dict(pipeline=_base_.test_pipeline)
)
