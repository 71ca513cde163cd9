# What the rows of DG-VAE's Tables 2 and 3 change in the model of the full method, once for all data
# sets: a child of `dgvae_<data set>.py` takes its row, `model = _base_.dgvae_variants.<row>`.
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
dgvae_variants = dict(
    # Table 2, without the ambiguous branch
    baseline=dict(loss_weights=dict(**_off_ambiguous, **_off_priors)),
    mog=dict(loss_weights=dict(**_off_ambiguous, margin=0.0)),
    mog_margin=dict(loss_weights=_off_ambiguous),
    # two-branch AE: nothing is sampled
    ae_rec=dict(
        sampled=[],
        loss_weights=dict(**_off_priors, ambiguous=0.0, identity_consistency=0.0, cycle=0.0),
    ),
    ae_rec_idc=dict(sampled=[], loss_weights=dict(**_off_priors, ambiguous=0.0, cycle=0.0)),
    ae=dict(sampled=[], loss_weights=dict(**_off_priors, ambiguous=0.0)),
    # two-branch VAE: one standard Gaussian, for the ambiguous code
    vae_rec=dict(
        sampled=['ambiguous'],
        loss_weights=dict(**_off_priors, identity_consistency=0.0, cycle=0.0),
    ),
    vae_rec_idc=dict(sampled=['ambiguous'], loss_weights=dict(**_off_priors, cycle=0.0)),
    vae=dict(sampled=['ambiguous'], loss_weights=_off_priors),
    # two standard Gaussians: normalised means have a mean square of 1 that no prior can lower
    two_gaussians=dict(
        identity_encoder=_no_norm,
        loss_weights=dict(mixture=0.0, margin=0.0, identity_gaussian=0.01),
    ),
    no_margin=dict(loss_weights=dict(margin=0.0)),
    # not in the paper: without the normalisation of the identity means
    baseline_no_norm=dict(
        identity_encoder=_no_norm, loss_weights=dict(**_off_ambiguous, **_off_priors)
    ),
    no_norm=dict(identity_encoder=_no_norm),
    # not in the paper: without it, but with class means that are far apart from the start
    mog_margin_far_means=dict(
        identity_encoder=_no_norm,
        mixture_prior=dict(init_std=1.0),
        loss_weights=dict(**_off_ambiguous, mixture=0.2 / 16),
    ),
    # Table 3
    discriminator=dict(**_judge, discriminator=dict(_patches, base_channels=128, num_layers=1)),
    image=dict(reconstruct='image', decoder=_image_decoder),
    image_discriminator=dict(
        **_judge,
        discriminator=dict(_patches, base_channels=64, num_layers=3),
        reconstruct='image',
        decoder=_image_decoder,
    ),
)
