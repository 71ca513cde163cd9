# What the release does otherwise than the paper, where there is a switch. What is different still:
# `flip_test` mirrors the visible image, the release its translation; the "other identity" of the
# joint discriminator is the previous one of the batch, not the next; identities are drawn anew for
# every batch; BatchNorm sees 72 images of a kind, not 18 on each of four cards; and the update
# `generators` leaves its running statistics alone.
_base_ = 'aligngan_sysu.py'
model = dict(
    flip_test=True,
    unit_features=False,
    feature_module=dict(classifier=dict(order='released')),
    translator=dict(running_statistics=True),
    pixel_pairs=['real'],
    feature_pairs=['real'],
    # its factors for images, without the common factor of 1/2 that Adam ignores
    loss_weights=dict(identity_map=5.0, pixel_identity=0.2, pixel_triplet=0.2),
)
test_evaluator = dict(flip_sum='raw')
