# What LbA changes of AGW; a config puts it over the model of its AGW.
_lba = dict(
    type='LbA',
    backbone=dict(non_local=dict(_delete_=True)),
    triplet_loss=dict(_delete_=True, type='BatchHardTripletLoss', margin=0.3),
    dense_loss=dict(type='DenseTripletLoss', margin=0.3),
    loss_weights=dict(aligned_identity=1.0, dense=0.5),
)
