# SYSU-MM01: train on the 395 identities of train + val, as the field does. There is no validation
# during training, and the figure to report is the last epoch's; to choose settings, hold training
# identities out (`agw-heldout_sysu.py`).
_base_ = 'loading.py'
num_ids = 395
_data = dict(type='SYSUMM01', data_root='data/sysu_mm01')
train_dataloader = dict(dataset=dict(**_data, split='trainval'))
test_dataloader = dict(dataset=dict(**_data, split='test'))
test_evaluator = dict(type='SYSUMetric')
