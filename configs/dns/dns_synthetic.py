# DNS on rendered data: size, batches and schedule of agw_synthetic.py, one rate for everything. The
# circle term is divided by the size of its batch.
_base_ = ['../agw/agw_synthetic.py', '../_base_/models/dns_parts.py']
_crop, _flip = _base_._dns.data_preprocessor.common
model = dict(
    _base_._dns,
    _delete_=True,
    data_preprocessor=dict(_base_._dns.data_preprocessor, common=[dict(_crop, padding=6), _flip]),
    backbone=dict(
        _base_.model.backbone,
        split='layer2',
        non_local=None,
        plugins=dict(layer3=dict(type='StripAttentionPlugin')),
    ),
    head=dict(_base_._dns.head, num_ids=_base_.num_ids),
    loss_weights=dict(_base_._dns.loss_weights, circle=1 / 32),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
default_hooks = dict(teacher=_base_._teacher)
