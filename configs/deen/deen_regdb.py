# On RegDB the network ends with layer3, whose stride is its own, and the branches begin before it.
_base_ = ['../_base_/methods/deen.py', '../_base_/datasets/regdb.py']
model = dict(
    _base_._variants.small_erasing.model,
    backbone=dict(
        num_stages=3,
        last_stride=2,
        plugins=dict(_delete_=True, layer1=_base_._mfa, layer2=[_base_._mfa, _base_._dee]),
    ),
    head=dict(num_ids=_base_.num_ids),
)
train_dataloader = _base_.loading.train
test_dataloader = _base_.loading.test
