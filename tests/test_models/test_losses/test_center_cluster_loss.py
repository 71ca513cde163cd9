import pytest
import torch

from mmvireid.models.losses import CenterClusterLoss, center_cluster

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])


def slow(x, labels, margin):
    """Loop over images, and over identities."""
    names = sorted(set(labels.tolist()))
    centers = {k: x[labels == k].mean(0) for k in names}
    pull = sum((row - centers[k]).norm() for row, k in zip(x, labels.tolist())) / len(x)
    push = 0
    for k in names:
        gaps = [(margin - (centers[k] - centers[j]).norm()).clamp(min=0) for j in names if j != k]
        push = push + sum(gaps) / len(gaps) / len(names)
    return pull + push


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.2, 0.6932758978859042), (1, 2.77378527717986), (4, 11.068343369734624),
     (10, 27.67085842433656)],
)  # fmt: skip
def test_golden_values_in_any_order(golden_batch, scale, value):
    x, labels = golden_batch(scale)  # modality after modality, where the release expects otherwise
    assert CenterClusterLoss()(x, labels).item() == pytest.approx(value, abs=1e-10)


def test_equals_a_slow_loop_with_uneven_identities():
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x.requires_grad_(True)
    ours, theirs = center_cluster(x, LABELS, 2.5), slow(x, LABELS, 2.5)
    torch.testing.assert_close(ours, theirs)
    found, expected = (torch.autograd.grad(value, x)[0] for value in (ours, theirs))
    torch.testing.assert_close(found, expected)


def test_an_image_that_is_its_centre_has_a_finite_gradient():
    x = torch.ones(4, 3, requires_grad=True)
    CenterClusterLoss()(x, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(x.grad).all()


def test_autocast_keeps_float32():
    x = torch.randn(11, 64, generator=torch.Generator().manual_seed(0))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = CenterClusterLoss(20.0)(x, LABELS)
    torch.testing.assert_close(found, CenterClusterLoss(20.0)(x, LABELS), rtol=1e-6, atol=0)


def test_a_negative_margin_is_refused():
    with pytest.raises(ValueError, match='`margin` is -1'):
        CenterClusterLoss(-1)
