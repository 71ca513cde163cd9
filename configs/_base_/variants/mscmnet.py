# The rows of configs/mscmnet, whatever the data set: what each leaves out of MSCMNet.
_no_center = dict(loss_weights=dict(center=0.0))
_no_plugins = dict(backbone=dict(plugins=None))
_variants = dict(
    base=dict(model=_no_center | _no_plugins),
    mimb=dict(model=_no_center),
    qct=dict(model=_no_plugins),
)
