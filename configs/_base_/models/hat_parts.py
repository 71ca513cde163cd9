# What HAT changes of AGW; a config puts it over the model of its AGW.
_base_ = '../augmentations.py'
_hat = dict(
    type='HAT',
    data_preprocessor=dict(
        views=dict(
            visible=dict(),
            grey=dict(
                modality='visible', augmentations=[dict(_base_._augmentations.grey, prob=1.0)]
            ),
        )
    ),
    backbone=dict(split='none', non_local=dict(_delete_=True)),  # one network for all
    neck=dict(pooling=dict(_delete_=True, type='AveragePooling')),
    triplet_loss=dict(
        _delete_=True, type='TriDirectionalRankingLoss', margin=0.3, weighted=True, form='proper'
    ),
    loss_weights=dict(identity=1.0, triplet=1.0, invariance=1.0),
)
