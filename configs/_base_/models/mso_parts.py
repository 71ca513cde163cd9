# What MSO adds to AGW; a config puts it over the model of its AGW.
mso_parts = dict(
    type='MSO',
    triplet_loss=dict(normalize=True),  # "the L2-norm results"; AGW's release takes raw embeddings
    edges=dict(type='SobelEdges', combine='abs_sum'),
    edge_loss=dict(
        type='PerceptualEdgeLoss',
        adapter='mean',
        taps='relu',
        resize='average',
        match='standardise',
        weights='torchvision://vgg16',
    ),
    center_loss=dict(type='CrossModalityContrastiveCenterLoss', inter='mean'),
    loss_weights=dict(identity=1.0, triplet=1.0, edge=1.0, center=1.0),
)
