# What XIV changes of AGW; a config puts it over the model of its AGW.
_base_ = '../augmentations.py'
_xiv = dict(
    type='XIV',
    data_preprocessor=dict(common=[_base_._augmentations.erasing_e]),
    backbone=dict(split='none', non_local=dict(_delete_=True)),  # one network for all
    neck=dict(pooling=dict(_delete_=True, type='AveragePooling')),
    identity_loss=dict(label_smoothing=0.1),
    triplet_loss=dict(_delete_=True, type='BatchHardTripletLoss', margin=0.3),
    generator=dict(type='PixelGenerator'),
    # as meant; released: 'released', and no ReLU in the stem, see variants/xiv.py
    center_loss=dict(type='PairedCenterTripletLoss', margin=0.5, distance='euclidean'),
    # 0.1 as released, where each pair of modalities is counted twice
    loss_weights=dict(identity=1.0, triplet=1.0, center=0.2),
)
