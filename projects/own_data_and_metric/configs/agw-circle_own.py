# AGW on pictures of a table, with a circle loss, an own protocol and an own metric beside it.
# The network, batches and schedule are those of agw_synthetic.py.
_base_ = '../../../configs/agw/agw-small_csv.py'
custom_imports = dict(imports=['projects.own_data_and_metric.own_data_and_metric'])

model = dict(
    triplet_loss=dict(_delete_=True, type='CircleLoss', margin=0.25, scale=64.0),
    loss_weights=dict(triplet=0.1),  # the term has the name that AGW gives it
)

_protocol = dict(type='NightToDayProtocol')
val_evaluator = dict(_delete_=True, type='RetrievalMetric', protocol=_protocol)
test_evaluator = [
    dict(type='RetrievalMetric', protocol=dict(**_protocol, cameras=[1, 4])),
    dict(type='PairOrder'),
]
