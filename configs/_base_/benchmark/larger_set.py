# The larger rendered set, laid over a `*_synthetic.py`: 375 training identities (and 20 held out),
# 96 test identities, 15,648 images. Epochs are longer by the factor that agw_synthetic-benchmark.py
# has: 200 batches where there are 80.
data_root = 'data/synthetic_benchmark'
num_ids = 375
_data = dict(size='benchmark')
train_dataloader = dict(dataset=_data)
val_dataloader = dict(dataset=_data)
test_dataloader = dict(dataset=_data)
longer_epochs = 2.5
