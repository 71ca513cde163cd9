# Pictures of your own, which a table lists: see README.md, "Your own cameras". Validation during
# training runs on identities held out of the training set, by the protocol of the test: what takes
# `loading.test` of a method for its `test_dataloader` takes it for its `val_dataloader`, too.
_base_ = 'loading.py'
num_ids = 228  # people of the table's training split, less the held-out ones
_data = dict(type='CSVReID', data_root='data/own', table='images.csv')
_split = dict(**_data, split='train', num_heldout_ids=20)
train_dataloader = dict(dataset=_split)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='mmvireid.reid_collate'),
    dataset=dict(**_split, heldout=True, pipeline=_base_.test_pipeline),
)
test_dataloader = dict(dataset=dict(**_data, split='test'))
# Who asks whom; `shots=1, num_trials=10` draws galleries, `left_out=['same-camera']` and others
# keep pairs out of the ranking: see CSVProtocol.
val_evaluator = dict(type='CSVMetric', directions=['infrared-to-visible', 'visible-to-infrared'])
test_evaluator = val_evaluator
val_cfg = dict()
