# What the release does otherwise than the paper, all at once.
_base_ = 'aligngan_sysu.py'
model = dict(
    flip_test=True,
    feature_module=dict(classifier=dict(order='released')),
    translator=dict(running_statistics=True),
    pixel_pairs=['real'],
    feature_pairs=['real'],
    # its factors for images, without the common factor of 1/2 that Adam ignores
    loss_weights=dict(identity_map=5.0, pixel_identity=0.2, pixel_triplet=0.2),
)
