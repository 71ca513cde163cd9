# The rows of configs/deen, whatever the data set: what each changes of DEEN, but for its plug-ins,
# whose places are those of the network. It has the augmentations, too: see variants/caj.py.
_base_ = '../augmentations.py'
_own = _base_._augmentations
_small_view = dict(augmentations=[_own.grey, _own.erasing_e])
_mfa = dict(type='FeatureAggregationPlugin')
_dee = dict(type='EmbeddingExpansionPlugin')
_one_branch = dict(  # one embedding of an image, and nothing that compares some
    center_loss=None,
    orthogonality_loss=None,
    loss_weights=dict(center=None, orthogonality=None),
)
_variants = dict(
    base=dict(model=dict(_one_branch, backbone=dict(plugins=None))),
    one_branch=dict(model=_one_branch),  # the places of plug-ins depend on the network
    # RegDB and LLCM: smaller rectangles
    small_erasing=dict(
        model=dict(data_preprocessor=dict(views=dict(visible=_small_view, infrared=_small_view)))
    ),
)
