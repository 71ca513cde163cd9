# The rows of configs/xiv, whatever the data set: what each changes of XIV.
# A child of `xiv_<data set>.py` takes what its row has, `model = _base_._variants.<row>.model`.
_released_loss = dict(center_loss=dict(distance='released'))
_variants = dict(
    released=dict(model=dict(_released_loss, backbone=dict(stem_relu=False))),
    released_loss=dict(model=_released_loss),
    no_x=dict(model=dict(generator=None)),
    baseline=dict(model=dict(generator=None, loss_weights=dict(center=0.0))),
)
