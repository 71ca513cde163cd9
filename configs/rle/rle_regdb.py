# On RegDB the network ends with layer3, whose stride is its own.
_base_ = ['../_base_/methods/rle.py', '../_base_/datasets/regdb.py']
model = dict(
    _base_._variants.full_and_grey.model,
    backbone=dict(num_stages=3, last_stride=2),
    head=dict(num_ids=_base_.num_ids),
)
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
