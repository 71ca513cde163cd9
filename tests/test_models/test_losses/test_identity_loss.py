import pytest
import torch

from mmvireid.models.losses import IdentityLoss


@pytest.mark.parametrize('smoothing', [0.0, 0.1])
def test_equals_the_closed_form(smoothing):
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).double()
    labels = torch.tensor([0, 1, 2, 3, 0])
    target = torch.full((5, 4), smoothing / 4).double()
    target[torch.arange(5), labels] += 1 - smoothing
    expected = (torch.logsumexp(logits, 1) - (target * logits).sum(1)).mean()
    assert IdentityLoss(smoothing)(logits, labels).item() == pytest.approx(expected.item())


def test_smoothing_out_of_range_is_named():
    with pytest.raises(ValueError, match='`label_smoothing` is 1.0'):
        IdentityLoss(1.0)
