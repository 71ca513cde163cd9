# PMT's views, and the rows of configs/pmt: what each changes of PMT. A child of `pmt_<data set>.py`
# takes what its row has, `model = _base_._variants.<row>.model`; it has them by way of
# models/pmt_parts.py, since two bases may not both have the augmentations.
_base_ = '../augmentations.py'
_own = _base_._augmentations
_pmt_views = dict(
    visible=dict(augmentations=[_own.erasing_e]),
    grey=dict(modality='visible', augmentations=[dict(_own.grey, prob=1.0), _own.erasing_e]),
    infrared=dict(augmentations=[_own.jitter_or_blur, _own.erasing_e]),
)
_colour = {name: _pmt_views[name] for name in ('visible', 'infrared')}
_variants = dict(
    # one network, identity and triplet terms, no stages: a config without them drops their table
    baseline=dict(
        model=dict(
            data_preprocessor=dict(views=dict(_colour, _delete_=True)),
            loss_weights=dict(enhancement=0.0, center=0.0),
        )
    ),
)
