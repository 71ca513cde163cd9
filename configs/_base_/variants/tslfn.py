# What the rows of configs/tslfn change of TSLFN+HC, whatever the data set.
_baseline = dict(loss_weights=dict(center=0.0))
_variants = dict(
    # TSLFN: no hetero-centre term
    baseline=dict(model=_baseline),
    # PCB's parts: one stream, 256 channels
    pcb=dict(model=dict(_baseline, backbone=dict(split='none'), neck=dict(channels=256))),
)
