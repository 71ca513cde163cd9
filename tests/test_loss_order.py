"""Losses that compare images know who belongs together by labels, never by the order of rows."""

import pytest
import torch

from mmvireid.models import losses

#: Losses on all images of a batch, and on visible images and then infrared ones.
ON_LABELS = dict(
    BatchCircleLoss={},
    BatchHardTripletLoss={},
    DiscriminativeCenterLoss={},
    CenterClusterLoss={},
    RegularizedSimilarityTripletLoss={},
    SquaredDifferenceTripletLoss={},
    WeightedRegularizedTripletLoss={},
)
ON_MODALITIES = dict(
    CrossModalityContrastiveCenterLoss={},
    CrossModalityTripletLoss={},
    DualRankingLoss=dict(intra_margin=2.0),
    ExpAngleTripletLoss=dict(mining='hardest'),
    HeteroCenterLoss={},
    HeteroCenterTripletLoss={},
    ModalitySharedEnhancementLoss={},
    PairedCenterTripletLoss={},
    QuadrupleCenterLoss={},
    TripletCenterLoss=dict(in_channels=16, num_ids=8, margin=5.0),
)
#: Those without such an order, and why.
OTHERS = dict(
    AdaptiveLargeMarginLoss='compares an image with identities',
    AdversarialLoss='knows no identities',
    BranchOrthogonalityLoss='compares an image with itself',
    CenterPairMiningLoss='embeddings of two kinds: a test of its own below',
    CosineSimilarityTripletLoss='two groups, row by row: a test of its own below',
    CycleConsistencyLoss='compares an image with itself',
    DenseTripletLoss='compares maps that a method pairs',
    IdentityConsistencyLoss='compares codes that a table pairs',
    IdentityLoss='compares an image with identities',
    MaskSeparationLoss='knows no identities',
    MeanDiscrepancyLoss='knows no identities',
    MixturePriorLoss='compares an image with identities',
    MutualTeachingLoss='compares an image with itself',
    PerceptualEdgeLoss='compares an image with itself',
    R1Loss='knows no identities',
    SoftIdentityLoss='compares an image with itself',
    StandardGaussianLoss='compares an image with one law',
    SwapReconstructionLoss='compares images that a table pairs',
    TriDirectionalRankingLoss='three groups: a test of its own below',
)


def test_every_loss_is_here():
    there = {name for name in losses.__all__ if name.endswith('Loss')}
    assert there == {*ON_LABELS, *ON_MODALITIES, *OTHERS}


def build(name, arguments):
    torch.manual_seed(0)
    return getattr(losses, name)(**arguments).double()


@pytest.mark.parametrize('name', [*ON_LABELS, *ON_MODALITIES])
def test_shuffling_a_batch_leaves_the_loss_as_it_is(name, golden_batch):
    x, labels = golden_batch(1)
    generator = torch.Generator().manual_seed(0)
    if name in ON_LABELS:
        loss, more = build(name, ON_LABELS[name]), ()
        order = torch.randperm(64, generator=generator)
    else:
        loss, more = build(name, ON_MODALITIES[name]), (32,)
        halves = [torch.randperm(32, generator=generator) + start for start in (0, 32)]
        order = torch.cat(halves)  # the two modalities in different orders
    expected = loss(x, labels, *more)
    assert expected > 0
    torch.testing.assert_close(loss(x[order], labels[order], *more), expected)


def test_shuffling_three_groups_leaves_the_loss_as_it_is(golden_batch):
    x, labels = golden_batch(1)
    groups, names = [*x.chunk(2), x[32:].roll(3, 1)], [*labels.chunk(2), labels[:32]]
    loss = losses.TriDirectionalRankingLoss()
    orders = [torch.randperm(32, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    shuffled = [[rows[o] for rows, o in zip(part, orders)] for part in (groups, names)]
    torch.testing.assert_close(loss(*shuffled), loss(groups, names))


def test_shuffling_rows_of_two_groups_together_leaves_the_loss_as_it_is(golden_batch):
    x, labels = golden_batch(1)
    anchors, others, names = x[:32], x[32:], labels[:32]
    loss = losses.CosineSimilarityTripletLoss()
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    shuffled = loss(anchors[order], others[order], names[order])
    torch.testing.assert_close(shuffled, loss(anchors, others, names))


def test_shuffling_embeddings_and_what_was_made_of_them_leaves_the_loss_as_it_is(golden_batch):
    x, labels = golden_batch(1)
    loss, expanded = losses.CenterPairMiningLoss(), x.roll(3, 1)
    generator = torch.Generator().manual_seed(0)
    order = torch.cat([torch.randperm(32, generator=generator) + start for start in (0, 32)])
    expected = loss(x, expanded, labels, 32)
    assert expected > 0
    torch.testing.assert_close(loss(x[order], expanded[order], labels[order], 32), expected)
