# The rows of DG-VAE's Tables 2 and 3, whatever the data set: what each changes of the full method.
# A child of `dgvae_<data set>.py` takes what its row has, `model = _base_._variants.<row>.model`.
# What a row changes of a stage, `stage_1` or `stage_2`, is laid over that stage.
_off_ambiguous = dict(ambiguous=0.0, reconstruction=0.0, cycle=0.0, identity_consistency=0.0)
_off_priors = dict(mixture=0.0, margin=0.0, identity_sampled=0.0, triplet_sampled=0.0)
_no_norm = dict(normalize_mean=False)
_image_decoder = dict(
    hidden=[(256, 2), (512, 2), (1024, 1), (512, 2), (256, 2), (128, 2)], last_stride=2
)
_judge = dict(
    losses=dict(adversarial=dict(type='AdversarialLoss')),
    loss_weights=dict(adversarial=0.1, discriminator_real=0.5, discriminator_fake=0.5),
)
_patches = dict(type='PatchDiscriminator')
_resting = ['ambiguous_encoder', 'decoder']

_variants = dict(
    # Table 2, without the ambiguous branch
    baseline=dict(
        model=dict(loss_weights=dict(**_off_ambiguous, **_off_priors)),
        default_hooks=dict(
            stage=dict(stages=[dict(name='identity', frozen=[*_resting, 'mixture_prior'])])
        ),
    ),
    mog=dict(model=dict(loss_weights=dict(**_off_ambiguous, margin=0.0))),
    # trained as long and at the same rates as the identity branch of the full model, in stages 1
    # and 3
    mog_margin=dict(
        model=dict(loss_weights=_off_ambiguous),
        default_hooks=dict(stage=dict(stages=[dict(name='identity', frozen=_resting)])),
        param_scheduler=dict(milestones=[100], end=200),
        train_cfg=dict(max_epochs=200),
    ),
    # two-branch AE: nothing is sampled
    ae_rec=dict(
        model=dict(
            sampled=[],
            loss_weights=dict(**_off_priors, ambiguous=0.0, identity_consistency=0.0, cycle=0.0),
        )
    ),
    ae_rec_idc=dict(
        model=dict(sampled=[], loss_weights=dict(**_off_priors, ambiguous=0.0, cycle=0.0))
    ),
    ae=dict(
        model=dict(sampled=[], loss_weights=dict(**_off_priors, ambiguous=0.0)),
        stage_2=dict(loss_weights=dict(ambiguous=0.0)),
    ),
    # two-branch VAE: one standard Gaussian, for the ambiguous code
    vae_rec=dict(
        model=dict(
            sampled=['ambiguous'],
            loss_weights=dict(**_off_priors, identity_consistency=0.0, cycle=0.0),
        )
    ),
    vae_rec_idc=dict(
        model=dict(sampled=['ambiguous'], loss_weights=dict(**_off_priors, cycle=0.0))
    ),
    vae=dict(model=dict(sampled=['ambiguous'], loss_weights=_off_priors)),
    # two standard Gaussians: normalised means have a mean square of 1 that no prior can lower; the
    # weight is small where a code is new
    two_gaussians=dict(
        model=dict(
            identity_encoder=_no_norm,
            loss_weights=dict(mixture=0.0, margin=0.0, identity_gaussian=0.01),
        ),
        stage_1=dict(loss_weights=dict(identity_gaussian=0.001)),
    ),
    no_margin=dict(model=dict(loss_weights=dict(margin=0.0))),
    # not in the paper: without the normalisation of the identity means
    baseline_no_norm=dict(
        model=dict(identity_encoder=_no_norm, loss_weights=dict(**_off_ambiguous, **_off_priors))
    ),
    no_norm=dict(model=dict(identity_encoder=_no_norm)),
    # not in the paper: without it, but with class means that are far apart from the start
    mog_margin_far_means=dict(
        model=dict(
            identity_encoder=_no_norm,
            mixture_prior=dict(init_std=1.0),
            loss_weights=dict(**_off_ambiguous, mixture=0.2 / 16),
        )
    ),
    # Table 3
    discriminator=dict(
        model=dict(**_judge, discriminator=dict(_patches, base_channels=128, num_layers=1)),
        stage_1=dict(updates=['vae']),
        optim_wrapper=dict(discriminator=dict(modules=['discriminator'])),
    ),
    image=dict(model=dict(reconstruct='image', decoder=_image_decoder)),
    image_discriminator=dict(
        model=dict(
            **_judge,
            discriminator=dict(_patches, base_channels=64, num_layers=3),
            reconstruct='image',
            decoder=_image_decoder,
        )
    ),
)
