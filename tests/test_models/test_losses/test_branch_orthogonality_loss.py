import pytest
import torch

from mmvireid.models.losses import BranchOrthogonalityLoss


@pytest.mark.parametrize('branches', [2, 3])
def test_equals_a_slow_loop(branches):
    rows = torch.randn(branches + 1, 5, 4, generator=torch.Generator().manual_seed(0))
    expected = 0.0
    for i in range(5):
        for a in range(1, branches + 1):
            for b in range(1, a):
                expected += float(rows[a, i] @ rows[b, i]) / (5 * (branches + 1))
    assert BranchOrthogonalityLoss()(list(rows)).item() == pytest.approx(expected, rel=1e-5)


def test_orthogonal_branches_cost_nothing():
    own, (first, second) = torch.ones(1, 2), torch.eye(2)[:, None]
    assert BranchOrthogonalityLoss()([own, first, second]) == 0
    assert BranchOrthogonalityLoss()([own, 3 * first, 2 * first]) == 2  # not normalised
