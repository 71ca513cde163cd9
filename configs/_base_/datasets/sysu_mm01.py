# SYSU-MM01: train on the 395 identities of train + val, as the field does. There is no validation
# during training, and the figure to report is the last epoch's; to choose settings, hold training
# identities out (`agw-heldout_sysu.py`).
_base_ = 'real.py'
num_ids = _base_._sysu.num_ids
train_dataloader = dict(dataset=_base_._sysu.train)
test_dataloader = dict(dataset=dict(**_base_._sysu_data, split='test'))
test_evaluator = dict(type='SYSUMetric')
