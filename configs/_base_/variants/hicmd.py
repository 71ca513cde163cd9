# The rows of Hi-CMD's Table 2 and Fig. 4, and its release, whatever the data set: what each changes
# of the full method. A child of `hicmd_<data set>.py` takes what its row has,
# `model = _base_._variants.<row>.model`.
_critics = [f'{m}_{term}' for m in ('visible', 'infrared') for term in ('real', 'fake', 'r1')]
_variants = dict(
    # Table 2: features are learned from real images only (row 4), of which
    original=dict(model=dict(sampling='original')),
    # without triplets (row 1), from styles alone (row 2), from prototypes alone (row 3)
    original_ce=dict(model=dict(loss_weights=dict(triplet=0.0))),
    original_style=dict(model=dict(feature_module=dict(trunk=None, mix=dict(codes=['style'])))),
    original_prototype=dict(model=dict(feature_module=dict(mix=dict(codes=['prototype'])))),
    # Fig. 4: images are not decoded from their own codes, fakes are not compared with real images,
    # nothing judges fakes
    no_same=dict(model=dict(loss_weights=dict(same=0.0))),
    no_cross=dict(model=dict(loss_weights=dict(cross=0.0))),
    no_adversarial=dict(
        model=dict(discriminator=None, loss_weights=dict(dict.fromkeys(_critics), adversarial=0.0))
    ),
    # As released: 2 pairs, and 2 + 2 single images of others. The triplet term is the sum of two
    # means, of what looks visible and of what looks infrared: twice the mean of both.
    released=dict(
        model=dict(
            own_style=False,
            cycle='prototype',
            num_unpaired=2,
            group_passes=True,
            feature_module=dict(mix=dict(form='free'), head=dict(embedding_size=1024)),
            losses=dict(
                triplet=dict(_delete_=True, type='RegularizedSimilarityTripletLoss', margin=0.5)
            ),
            loss_weights=dict(triplet=2.0),
        ),
        train_dataloader=dict(batch_size=12, batch_sampler=dict(num_ids=6)),
        optim_wrapper=dict(reid=dict(paramwise_cfg=dict(custom_keys=dict(mix=dict(lr_mult=0.01))))),
    ),
)
