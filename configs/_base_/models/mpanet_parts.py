# MPANet, but for the backbone: masks for six parts, one classifier and one for each modality, which
# teach each other, and the terms as released. `_teacher` says who follows whom: the hook that
# moves the teachers.
_base_ = '../augmentations.py'
_a = _base_._augmentations
_mpanet = dict(
    type='MPANet',
    channels_last=True,
    # crop, flip and rectangle are drawn on the device, in the release's order: flip first
    data_preprocessor=dict(common=[_a.flip, _a.crop_grey, _a.erasing_c]),
    neck=dict(type='PartMaskNeck', num_parts=6),
    head=dict(type='IdentityHead', std=None),
    modality_heads=dict(type='ModalityHeads'),
    identity_loss=dict(type='IdentityLoss'),
    teaching_loss=dict(type='MutualTeachingLoss'),
    center_loss=dict(type='CenterClusterLoss', margin=0.7),
    separation_loss=dict(type='MaskSeparationLoss'),
    loss_weights=dict(
        identity=1.0, modality_identity=1.0, teaching=2.5, center=1.0, separation=0.5
    ),
)
_teacher = dict(
    type='TeacherHook',
    pairs=[dict(teacher='modality_heads.teachers', student='modality_heads.students')],
    rate=0.2,
    horizon=100,  # from epoch 100 on the rate falls as 1 / epoch
)
