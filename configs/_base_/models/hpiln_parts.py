# What HPILN's loss adds to a network with batch-hard triplets: those across the modalities. Margins
# and weights are not known; neither embedding is normalised.
_hpiln = dict(
    type='HPILN',
    cross_triplet_loss=dict(type='CrossModalityTripletLoss', margin=0.3, normalize=False),
    loss_weights=dict(cross_triplet=1.0),
)
