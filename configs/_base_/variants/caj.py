# The rows of configs/caj, whatever the data set: what each changes of CAJ.
# A child of `caj_<data set>.py` takes what its row has, `model = _base_._variants.<row>.model`;
# it has them by way of models/caj_parts.py, since two bases may not both have the augmentations.
_base_ = '../augmentations.py'
_own = _base_._augmentations
_erased = dict(augmentations=[_own.erasing_a])
_exchanged = dict(modality='visible', augmentations=[_own.erasing_a, _own.channel_exchange])
_more_erased = dict(_own.erasing_a, prob=0.6)
_soft = dict(
    soft_identity_loss=dict(type='SoftIdentityLoss'),
    loss_weights=dict(soft_identity=1.0),
)
_variants = dict(
    # up the ladder to CAJ: nothing but crops and flips, erased rectangles, the second view
    plain=dict(model=dict(data_preprocessor=dict(views=dict(_delete_=True)))),
    erasing=dict(
        model=dict(
            data_preprocessor=dict(views=dict(_delete_=True, visible=_erased, infrared=_erased))
        )
    ),
    exchange=dict(
        model=dict(
            data_preprocessor=dict(
                views=dict(_delete_=True, visible=_erased, exchanged=_exchanged, infrared=_erased)
            )
        )
    ),
    # CAJ with the triplet loss of AGW
    wrt=dict(
        model=dict(
            triplet_loss=dict(
                _delete_=True, type='WeightedRegularizedTripletLoss', eps_mode='released'
            )
        )
    ),
    # CAJ+: the soft term; on SYSU-MM01 some other probabilities, and grey in the plain view
    soft=dict(model=_soft),
    plus=dict(
        model=dict(
            _soft,
            data_preprocessor=dict(
                views=dict(
                    visible=dict(augmentations=[dict(_own.grey, prob=0.1), _more_erased]),
                    exchanged=dict(augmentations=[_more_erased, _own.channel_exchange]),
                    infrared=dict(
                        augmentations=[_own.erasing_a, dict(_own.adaptive_grey, grey=0.6)]
                    ),
                )
            ),
        )
    ),
)
