# The controls on AGW's schedule and images: no non-local blocks, average pooling, and batch-hard
# triplets where a config has triplets. A child adds the data set and its streams, and takes
# `loading`.
_base_ = ['agw.py', '../variants/streams.py']
model = dict(
    backbone=dict(non_local=dict(_delete_=True)),
    neck=dict(pooling=dict(_delete_=True, type='AveragePooling')),
    triplet_loss=dict(_delete_=True, type='BatchHardTripletLoss', margin=0.3),
)
