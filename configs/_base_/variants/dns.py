# What the rows of configs/dns change of DNS, whatever the data set.
_untaught = dict(
    modality_heads=None,
    loss_weights=dict(modality_identity=0.0, teaching=0.0),
)
_variants = dict(
    # no classifiers per modality, no teachers
    no_teaching=dict(model=_untaught),
    # identity and circle terms alone, with the code's own margin: the release's baseline
    baseline=dict(
        model=dict(
            _untaught,
            backbone=dict(plugins=None),
            branch=None,
            circle_loss=dict(margin=0.45),
            loss_weights=dict(_untaught['loss_weights'], modality_gap=0.0, branch_gap=0.0),
        )
    ),
)
