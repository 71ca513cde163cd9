# What the rows of configs/mpanet change of MPANet, whatever the data set.
_untaught = dict(
    modality_heads=None,
    loss_weights=dict(modality_identity=0.0, teaching=0.0),
)
_variants = dict(
    # no classifiers per modality, no teachers
    no_teaching=dict(model=_untaught),
    # one network, parts by masks, identity and centre terms: nothing that knows of modalities
    baseline=dict(
        model=dict(
            _untaught,
            backbone=dict(plugins=None),
            loss_weights=dict(_untaught['loss_weights'], separation=0.0),
        )
    ),
)
