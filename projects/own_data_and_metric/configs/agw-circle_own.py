# AGW on data of a table, with a circle loss, an own protocol and an own metric beside it.
# The network, batches and schedule are those of agw_synthetic.py.
_base_ = '../../../configs/agw/agw_synthetic.py'
custom_imports = dict(imports=['projects.own_data_and_metric.own_data_and_metric'])

model = dict(
    head=dict(num_ids=228),  # people of the table's training split less the held-out ones
    triplet_loss=dict(_delete_=True, type='CircleLoss', margin=0.25, scale=64.0),
    loss_weights=dict(triplet=0.1),  # the term has the name that AGW gives it
)

_data = dict(_delete_=True, type='TableDataset', data_root='data/own', cache='ram')
_train = dict(**_data, split='train', num_heldout_ids=20)
train_dataloader = dict(dataset=dict(**_train, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(**_train, heldout=True, pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(**_data, split='test', pipeline=_base_.test_pipeline))

_protocol = dict(type='NightToDayProtocol')
val_evaluator = dict(_delete_=True, type='RetrievalMetric', protocol=_protocol)
test_evaluator = [
    dict(type='RetrievalMetric', protocol=dict(**_protocol, cameras=[1, 4])),
    dict(type='PairOrder'),
]
