# AGW trained on SYSU-MM01 and LLCM, tested on RegDB.
_base_ = 'agw_regdb.py'
train_dataloader = dict(
    dataset=dict(_base_._joined, datasets=[_base_._sysu.train, _base_._llcm.train])
)
test_dataloader = dict(dataset=dict(trained_elsewhere=['sysu_mm01', 'llcm']))
num_ids = _base_._sysu.num_ids + _base_._llcm.num_ids
model = dict(head=dict(num_ids=num_ids))
