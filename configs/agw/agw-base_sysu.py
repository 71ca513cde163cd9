# The release's "base": no non-local blocks, average pooling, batch-hard triplets.
_base_ = 'agw_sysu.py'
model = dict(
    backbone=dict(non_local=dict(_delete_=True)),
    neck=dict(pooling=dict(_delete_=True, type='AveragePooling')),
    triplet_loss=dict(_delete_=True, type='BatchHardTripletLoss', margin=0.3),
)
