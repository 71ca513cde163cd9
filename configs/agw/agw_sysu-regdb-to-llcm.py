# AGW trained on SYSU-MM01 and RegDB, tested on LLCM.
_base_ = 'agw_llcm.py'
train_dataloader = dict(
    dataset=dict(_base_._joined, datasets=[_base_._sysu.train, _base_._regdb.train])
)
test_dataloader = dict(dataset=dict(trained_elsewhere=['sysu_mm01', 'regdb']))
num_ids = _base_._sysu.num_ids + _base_._regdb.num_ids
model = dict(head=dict(num_ids=num_ids))
