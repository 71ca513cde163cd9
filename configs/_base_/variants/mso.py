# The rows of MSO's Table 3, whatever the data set: what each changes of the full method.
# A child of `mso_<data set>.py` takes what its row has, `model = _base_._variants.<row>.model`.
_variants = dict(
    baseline=dict(model=dict(loss_weights=dict(edge=0.0, center=0.0))),
    pef=dict(model=dict(loss_weights=dict(center=0.0))),
    expat=dict(
        model=dict(
            center_loss=dict(_delete_=True, type='ExpAngleTripletLoss', margin=1.0),
            loss_weights=dict(edge=0.0),
        )
    ),
    # margin, weight and rate of the centres are not in the paper; a child adds the centres' sizes
    tc=dict(
        model=dict(
            center_loss=dict(_delete_=True, type='TripletCenterLoss', margin=5.0),
            loss_weights=dict(edge=0.0, center=0.1),
        ),
        optim_wrapper=dict(
            paramwise_cfg=dict(custom_keys=dict(centers=dict(lr_mult=10.0, decay_mult=0.0)))
        ),
    ),
    hc=dict(
        model=dict(
            center_loss=dict(_delete_=True, type='HeteroCenterLoss'),
            loss_weights=dict(edge=0.0, center=0.1),
        )
    ),
    cmcc=dict(model=dict(loss_weights=dict(edge=0.0))),
)
