# What the release changes for RegDB: nearly maximum pooling, labels smoothed, the stripes' centres
# twice, and 8 identities x (4 + 4) images.
_base_ = ['../_base_/methods/hct.py', '../_base_/datasets/regdb.py']
model = dict(
    neck=dict(pooling=dict(p=10.0)),
    head=dict(num_ids=_base_.num_ids),
    identity_loss=dict(label_smoothing=0.1),
    loss_weights=dict(center=2.0),
)
train_dataloader = _base_.loading.train
