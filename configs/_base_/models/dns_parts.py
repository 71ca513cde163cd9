# DNS, but for the backbone: GeM and BN-neck with a shift, the branch, one classifier and one for
# each modality, which teach each other; the terms as released. What is done to the images differs
# between the data sets: `_dns_views`. `_teacher` is the hook that moves the teachers.
_base_ = '../augmentations.py'
_a = _base_._augmentations
# a third of the visible images stay as they are; the others are a channel or (`grey`) grey
_channel = dict(_a.channel_exchange, prob=2 / 3)
_channel_or_grey = dict(_channel, grey=1.0)
_dns_views = dict(
    sysu=dict(
        visible=dict(augmentations=[_a.erasing_f, _a.erasing_a, _channel_or_grey]),
        infrared=dict(augmentations=[_a.erasing_f, _a.erasing_a]),
    ),
    regdb=dict(
        visible=dict(augmentations=[_a.erasing_f, _channel]),
        infrared=dict(augmentations=[_a.erasing_f]),
    ),
    llcm=dict(
        visible=dict(augmentations=[_a.erasing_a, _channel]),
        infrared=dict(augmentations=[_a.erasing_a]),
    ),
)
_dns = dict(
    type='DNS',
    channels_last=True,
    flip_test=True,  # the headline figures are with mirrored images
    data_preprocessor=dict(common=[_a.crop, _a.flip], views=_dns_views['sysu']),
    neck=dict(type='BNNeck', pooling=dict(type='GeMPooling', p=3.0), bias=True),
    branch=dict(type='SoftmaxPerceptron'),
    head=dict(type='IdentityHead'),
    modality_heads=dict(type='ModalityHeads'),
    identity_loss=dict(type='IdentityLoss'),
    circle_loss=dict(type='BatchCircleLoss', margin=0.5),  # of the logs; the code's default is 0.45
    gap_loss=dict(type='MeanDiscrepancyLoss'),
    teaching_loss=dict(type='MutualTeachingLoss'),
    loss_weights=dict(
        identity=1.0,
        circle=1 / 48,  # a mean that is divided by the size of the batch once more
        modality_gap=0.2 * 0.45,
        branch_gap=0.2 * 0.05,
        modality_identity=0.25,
        teaching=0.5,
    ),
)
_teacher = dict(
    type='TeacherHook',
    pairs=[dict(teacher='modality_heads.teachers', student='modality_heads.students')],
    rate=0.2,
)
