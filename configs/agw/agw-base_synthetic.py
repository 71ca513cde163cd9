# The release's "base" on rendered data, see agw-base_sysu.py.
_base_ = 'agw_synthetic.py'
model = dict(
    backbone=dict(non_local=None),
    neck=dict(pooling=dict(_delete_=True, type='AveragePooling')),
    triplet_loss=dict(_delete_=True, type='BatchHardTripletLoss', margin=0.3),
)
