# AGW trained on RegDB and LLCM, tested on SYSU-MM01.
_base_ = 'agw_sysu.py'
train_dataloader = dict(
    dataset=dict(_base_._joined, datasets=[_base_._regdb.train, _base_._llcm.train])
)
test_dataloader = dict(dataset=dict(trained_elsewhere=['regdb', 'llcm']))
num_ids = _base_._regdb.num_ids + _base_._llcm.num_ids
model = dict(head=dict(num_ids=num_ids))
