# What the rows of configs/hct change of HCT, whatever the data set.
_variants = dict(
    # stripes and their classifiers alone
    baseline=dict(model=dict(loss_weights=dict(center=0.0, joint_center=0.0))),
)
