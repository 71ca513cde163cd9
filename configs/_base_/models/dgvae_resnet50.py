# DG-VAE at the paper's sizes: images of 384 x 128, maps of 1024 x 24 x 8, codes of 2048 (identity)
# and 512 (ambiguous). `model.classifier.num_ids` comes with the data set.
image_size = (384, 128)
_pretrained = dict(type='Pretrained', checkpoint='torchvision://resnet50')
_encoder = dict(type='GaussianEncoder', depth=50, stage='layer4', num_blocks=2, stride=1)
model = dict(
    type='DGVAE',
    input_size=image_size,
    extractor=dict(type='ResNetExtractor', depth=50, num_stages=3, init_cfg=_pretrained),
    identity_encoder=dict(
        **_encoder,
        code_size=2048,
        pooling=dict(type='MaxPooling'),
        normalize_mean=True,  # not in the paper: see configs/dgvae/README.md
        init_cfg=_pretrained,
    ),
    ambiguous_encoder=dict(
        **_encoder, code_size=512, pooling=dict(type='AveragePooling'), init_cfg=_pretrained
    ),
    decoder=dict(
        type='CodeDecoder',
        start_channels=256,
        hidden=[(256, 2), (512, 2)],  # (channels, stride)
        last_stride=1,
        dropout=0.2,
    ),
    classifier=dict(type='IdentityHead'),
    mixture_prior=dict(type='MixturePrior', init_std=0.01),
    losses=dict(
        identity=dict(type='IdentityLoss'),
        triplet=dict(type='CrossModalityTripletLoss', margin=0.1),
        mixture=dict(type='MixturePriorLoss', form='sound'),
        margin=dict(type='AdaptiveLargeMarginLoss', margin_weight=0.1, form='sound'),
        gaussian=dict(type='StandardGaussianLoss'),
        reconstruction=dict(type='SwapReconstructionLoss'),
        cycle=dict(type='CycleConsistencyLoss'),
        identity_consistency=dict(type='IdentityConsistencyLoss'),
    ),
    # Eq. 19 with Eqs. 9, 15, 16, 17 and 18 multiplied out
    loss_weights=dict(
        identity=1.0,  # lambda_id
        triplet=1.0,  # lambda_cmtl
        identity_sampled=0.1,  # lambda_id * lambda_aux
        triplet_sampled=0.1,  # lambda_cmtl * lambda_aux
        mixture=0.2,  # lambda_disc * lambda_gmm
        margin=0.02,  # lambda_disc * lambda_lmc
        identity_gaussian=0.0,  # only with two standard Gaussians
        ambiguous=0.01,  # lambda_ambi
        reconstruction=0.5,  # lambda_tsr * lambda_rec
        cycle=0.5,  # lambda_tsr * lambda_cyc
        identity_consistency=0.5,  # lambda_tsr * lambda_idc
    ),
)
