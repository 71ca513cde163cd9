# The rows of RLE's ladder, whatever the data set or the network: what is done to the images of both
# modalities, behind crop and flip. A child of `rle_<data set>.py` takes its row,
# `model = _base_._variants.<row>.model`.
_base_ = '../augmentations.py'
_a = _base_._augmentations
_steps = [_a.moderate_enhancement, _a.radical_enhancement, _a.erasing_b]
_variants = dict(
    base=dict(model=dict(data_preprocessor=dict(_delete_=True))),
    grey=dict(model=dict(data_preprocessor=dict(common=[_a.grey]))),
    channel=dict(model=dict(data_preprocessor=dict(common=[_a.random_channel]))),
    channel_grey=dict(model=dict(data_preprocessor=dict(common=[_a.random_channel_or_grey]))),
    mrle=dict(model=dict(data_preprocessor=dict(common=_steps[:1]))),
    erasing=dict(model=dict(data_preprocessor=dict(common=_steps[2:]))),
    rrle=dict(model=dict(data_preprocessor=dict(common=_steps[1:2]))),
    rrle_erasing=dict(model=dict(data_preprocessor=dict(common=_steps[1:]))),
    # two visible views, which share crop and flip here
    caj=dict(
        model=dict(
            data_preprocessor=dict(
                _delete_=True,
                common=[_a.erasing_a],
                views=dict(
                    visible=dict(),
                    exchanged=dict(modality='visible', augmentations=[_a.channel_exchange]),
                    infrared=dict(augmentations=[_a.adaptive_grey]),
                ),
            )
        )
    ),
    full=dict(model=dict(data_preprocessor=dict(common=_steps))),
    # RegDB and LLCM
    full_and_grey=dict(model=dict(data_preprocessor=dict(common=[_a.grey, *_steps]))),
)
