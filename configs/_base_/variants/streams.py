# The rows of configs/streams, whatever the data set: which layers a modality has for itself, what
# else there is beside a classifier. A child takes what its row has, `model =
# _base_._variants.<row>.model`.
_base_ = '../augmentations.py'
_classified = dict(loss_weights=dict(triplet=0.0))
_grey = dict(data_preprocessor=dict(grey=True))
_erased = dict(augmentations=[_base_._augmentations.erasing_a])
_variants = dict(
    onestream=dict(model=dict(_classified, backbone=dict(split='none'))),
    twostream=dict(model=dict(_classified, backbone=dict(split='stem'))),
    # a channel per modality and zeros in the other one come to a first convolution per modality
    zeropadding=dict(model=dict(**_classified, **_grey, backbone=dict(split='conv1'))),
    grey=dict(model=_grey),
    triplet=dict(model=dict(loss_weights=dict(triplet=1.0))),
    erasing=dict(model=dict(data_preprocessor=dict(views=dict(visible=_erased, infrared=_erased)))),
)
