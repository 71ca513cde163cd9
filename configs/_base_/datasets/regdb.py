# RegDB, the first of its ten train / test splits; `tools/regdb_trials.py` runs all ten.
_base_ = 'real.py'
num_ids = _base_._regdb.num_ids
train_dataloader = dict(dataset=_base_._regdb.train)
test_dataloader = dict(dataset=dict(**_base_._regdb_data, split='test'))
test_evaluator = dict(type='RegDBMetric')
