# The rows of configs/bdtr, whatever the data set: what each changes of BDTR.
# A child of `bdtr_<data set>.py` takes what its row has, `model = _base_._variants.<row>.model`.
_variants = dict(
    bctr=dict(model=dict(center_loss=dict(intra_weight=0.0))),
    baseline=dict(model=dict(loss_weights=dict(center=0.0))),
)
