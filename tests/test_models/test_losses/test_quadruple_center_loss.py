import numpy as np
import pytest
import torch

from mmvireid.models.losses import QuadrupleCenterLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven


def golden(scale):
    """Two views of each modality, 4 identities x 4 images in each."""
    labels = np.tile(np.repeat(np.arange(4), 4), 4)
    i, j = np.arange(64)[:, None], np.arange(16)[None]
    x = np.sin(0.7 * i + 1.3 * j + 0.1 * i * j) + 0.8 * np.cos(2.1 * labels[:, None] + 0.9 * j)
    return torch.from_numpy(scale * x), torch.from_numpy(labels), 32


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.05, 0.3089806151573938), (0.2, 0.30255834706936313), (1, 1.442977935297797),
     (4, 5.771911741191188)],
)  # fmt: skip
def test_golden_values(scale, value):
    assert QuadrupleCenterLoss()(*golden(scale)).item() == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ('scale', 'near', 'far'),
    [
        (0.05, 0.1442977935297797, 0.47366343678500783),
        (0.2, 0.5771911741191188, 0.027925520019607502),
    ],
)
def test_its_two_parts(scale, near, far):
    alone = QuadrupleCenterLoss(margin=-1e9)(*golden(scale))  # nobody is so close
    assert 2 * alone.item() == pytest.approx(near, abs=1e-12)
    both = QuadrupleCenterLoss()(*golden(scale))
    assert 2 * (both - alone).item() == pytest.approx(far, abs=1e-12)


def test_equals_a_slow_loop():
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    total = 0.0
    for i in range(11):
        mine = [j for j in range(11) if LABELS[j] == LABELS[i]]
        across = torch.stack([x[j] for j in mine if (j < 5) != (i < 5)]).mean(0)
        hinges = []
        for j in range(11):
            if LABELS[j] != LABELS[i]:
                center = torch.stack([x[k] for k in range(11) if LABELS[k] == LABELS[j]]).mean(0)
                hinges.append(max(0.0, 1.5 - (x[i] - center).norm().item()))
        total += ((x[i] - across).norm().item() + sum(hinges) / len(hinges)) / 22
    assert QuadrupleCenterLoss(1.5)(x, LABELS, 5).item() == pytest.approx(total)


def test_an_image_that_is_its_centre_has_a_finite_gradient():
    x = torch.tensor([[0.0], [1.0], [0.0], [1.0]], requires_grad=True)
    QuadrupleCenterLoss()(x, torch.tensor([0, 1, 0, 1]), 2).backward()
    assert torch.isfinite(x.grad).all()


def test_a_missing_modality_is_refused():
    with pytest.raises(ValueError, match='`num_visible` is 4'):
        QuadrupleCenterLoss()(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]), 4)
