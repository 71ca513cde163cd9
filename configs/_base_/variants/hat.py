# The rows of configs/hat, whatever the data set: what each changes of HAT.
# A child of `hat_<data set>.py` takes what its row has, `model = _base_._variants.<row>.model`.
_variants = dict(
    baseline=dict(
        model=dict(
            type='AGW',
            data_preprocessor=None,
            triplet_loss=dict(_delete_=True, type='BatchHardTripletLoss', margin=0.3),
            loss_weights=dict(invariance=None),
        )
    ),
    unweighted=dict(model=dict(triplet_loss=dict(weighted=False))),
    released_form=dict(model=dict(triplet_loss=dict(form='released'))),
    no_invariance=dict(model=dict(loss_weights=dict(invariance=0.0))),
)
