# MPANet on rendered data: size, length of the training and schedule of agw_synthetic.py. Its last
# two stages have the plug-ins; flip, crop and erased rectangle are the release's, padding is less.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/mpanet_parts.py']
_alleviation = dict(type='ModalityAlleviationPlugin')
_flip, _crop, _erasing = _base_._mpanet.data_preprocessor.common
model = dict(
    _base_._mpanet,
    _delete_=True,
    data_preprocessor=dict(common=[_flip, dict(_crop, padding=6), _erasing]),
    backbone=dict(
        _base_.model.backbone,
        split='none',
        non_local=None,
        plugins=dict(layer2=_alleviation, layer3=_alleviation),
    ),
    head=dict(_base_._mpanet.head, num_ids=_base_.num_ids),
)
train_dataloader = dict(
    batch_sampler=dict(type='IdentityPairBatchSampler', replace=False),
    dataset=dict(pipeline=_base_.test_pipeline),
)
default_hooks = dict(teacher=_base_._teacher)
