# The rendered set that tables are made on: 375 training identities (and 20 held out), 96 test
# identities, 15,648 images; 1,000 iterations.
_base_ = 'agw_synthetic.py'
num_ids = 375
_data = dict(data_root='data/synthetic_benchmark', size='benchmark')
train_dataloader = dict(batch_sampler=dict(num_batches=200), dataset=_data)
val_dataloader = dict(dataset=_data)
test_dataloader = dict(dataset=_data)
model = dict(head=dict(num_ids=num_ids))
