# Where the real data sets are, and what is trained and tested on in each: configs of one of them
# take it from here, and configs that train on two (`JoinedReID`) and test on the third.
_base_ = 'loading.py'
_sysu_data = dict(type='SYSUMM01', data_root='data/sysu_mm01')
_regdb_data = dict(type='RegDB', data_root='data/regdb', trial=1)
_llcm_data = dict(type='LLCM', data_root='data/llcm')

_sysu = dict(num_ids=395, train=dict(**_sysu_data, split='trainval'))
_regdb = dict(num_ids=206, train=dict(**_regdb_data, split='train'))
_llcm = dict(num_ids=713, train=dict(**_llcm_data, split='train'))
# In the place of another training set; `datasets` are some of the three above.
_joined = dict(_delete_=True, type='JoinedReID', cache='auto', pipeline=_base_.train_pipeline)
