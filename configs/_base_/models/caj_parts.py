# What CAJ changes of AGW; a config puts it over the model of its AGW. Each view has a crop, a flip
# and an erased rectangle of its own.
_base_ = '../variants/caj.py'  # and the augmentations
_a = _base_._augmentations
_caj = dict(
    type='CAJ',
    flip_test=True,  # the headline figures are with mirrored images
    data_preprocessor=dict(
        common=[_a.crop, _a.flip],
        views=dict(
            visible=dict(augmentations=[_a.erasing_a]),
            exchanged=dict(modality='visible', augmentations=[_a.erasing_a, _a.channel_exchange]),
            infrared=dict(augmentations=[_a.erasing_a, _a.adaptive_grey]),
        ),
    ),
    triplet_loss=dict(_delete_=True, type='SquaredDifferenceTripletLoss', eps_mode='released'),
)
