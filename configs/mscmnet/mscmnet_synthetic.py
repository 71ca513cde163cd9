# MSCMNet on rendered data, with the network, batches and schedule of agw_synthetic.py: three stages
# of ResNet-18, whose last map of 8 x 4 attends in 4 heads of 8 positions.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/mscmnet_parts.py']
_views = _base_._mscmnet.data_preprocessor
model = dict(
    _base_._mscmnet,
    _delete_=True,
    backbone=dict(
        _base_.model.backbone,
        non_local_inner=None,
        plugins=dict(layer3=dict(_base_._mimb, map_size=(8, 4), num_heads=4)),
        num_stems=2,
    ),
    data_preprocessor=dict(_views, common=[dict(_views.common[0], padding=6), _views.common[1]]),
    head=dict(_base_._mscmnet.head, num_ids=_base_.num_ids),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
