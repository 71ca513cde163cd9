# The network, batches and schedule of agw_synthetic.py on a table's pictures: minutes on two cores.
_base_ = 'agw_synthetic.py'
_data = dict(_delete_=True, type='CSVReID', data_root='data/own', cache='ram')
_train = dict(**_data, split='train', num_heldout_ids=20)
train_dataloader = dict(dataset=dict(**_train, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(**_train, heldout=True, pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(**_data, split='test', pipeline=_base_.test_pipeline))
val_evaluator = dict(_delete_=True, type='CSVMetric')
test_evaluator = val_evaluator
