import pytest
import torch

from mmvireid.models.losses import ModalitySharedEnhancementLoss

LABELS = torch.tensor([4, 9, 4, 2, 9, 2, 4, 9, 2, 9, 9, 2, 4])  # 6 visible, 7 infrared, uneven


def slow(x, labels, num_visible):
    """Image after image."""
    modalities = [i < num_visible for i in range(len(x))]
    sums = {True: [], False: []}
    for i in range(len(x)):
        mean = {}
        for across in (True, False):
            others = [
                (x[i] - x[j]).norm()
                for j in range(len(x))
                if j != i and labels[j] == labels[i] and (modalities[i] != modalities[j]) == across
            ]
            mean[across] = sum(others) / len(others)
        sums[modalities[i]].append((mean[True] - mean[False]) ** 2)
    return sum(sum(values) / len(values) for values in sums.values()) / 2


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.2, 0.0041730034773741435), (1, 0.10432508693435366), (4, 1.6692013909496586),
     (10, 10.432508693435368)],
)  # fmt: skip
def test_golden_values(golden_batch, scale, value):
    x, labels = golden_batch(scale)
    loss = ModalitySharedEnhancementLoss()(x, labels, 32).item()
    assert loss == pytest.approx(value, rel=1e-10)


def test_equals_a_slow_loop():
    x = torch.randn(13, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    loss = ModalitySharedEnhancementLoss()(x, LABELS, 6)
    assert loss.item() == pytest.approx(slow(x, LABELS, 6).item())


def test_copies_of_images_have_a_finite_gradient_and_autocast_its_digits(golden_batch):
    x, labels = golden_batch(1)
    x = x.float()
    loss = ModalitySharedEnhancementLoss()
    with torch.autocast('cpu', torch.bfloat16):
        assert loss(x, labels, 32).item() == pytest.approx(0.104325, rel=1e-4)
    x[:] = x[0]
    x.requires_grad_()
    loss(x, labels, 32).backward()
    assert torch.isfinite(x.grad).all()


def test_a_missing_modality_is_refused(golden_batch):
    with pytest.raises(ValueError, match='`num_visible` is 64'):
        ModalitySharedEnhancementLoss()(*golden_batch(1), 64)
