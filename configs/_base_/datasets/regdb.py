# RegDB, the first of its ten train / test splits; `tools/regdb_trials.py` runs all ten.
_base_ = 'loading.py'
num_ids = 206
_data = dict(type='RegDB', data_root='data/regdb', trial=1)
train_dataloader = dict(dataset=dict(**_data, split='train'))
test_dataloader = dict(dataset=dict(**_data, split='test'))
test_evaluator = dict(type='RegDBMetric')
