# The rows of RLE's ladder, whatever the data set or the network: what is done to the images of both
# modalities, behind crop and flip. A child of `rle_<data set>.py` takes its row,
# `model = _base_._variants.<row>.model`.
_base_ = '../augmentations.py'
_a = _base_._augmentations
_steps = [_a.moderate_enhancement, _a.radical_enhancement, _a.erasing_b]
_rows = dict(
    base=[],
    grey=[_a.grey],
    channel=[_a.random_channel],
    channel_grey=[_a.random_channel_or_grey],
    mrle=_steps[:1],
    erasing=_steps[2:],
    rrle=_steps[1:2],
    rrle_erasing=_steps[1:],
    full=_steps,
    full_and_grey=[_a.grey, *_steps],  # RegDB and LLCM
)
_variants = {
    name: dict(
        model=dict(
            data_preprocessor=dict(
                views=dict(visible=dict(augmentations=row), infrared=dict(augmentations=row))
            )
        )
    )
    for name, row in _rows.items()
}
# CAJ's: two visible views, which share crop and flip here
_variants['caj'] = dict(
    model=dict(
        data_preprocessor=dict(
            views=dict(
                visible=dict(augmentations=[_a.erasing_a]),
                exchanged=dict(
                    modality='visible', augmentations=[_a.erasing_a, _a.channel_exchange]
                ),
                infrared=dict(augmentations=[_a.erasing_a, _a.adaptive_grey]),
            )
        )
    )
)
