import math

import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.heads import CosineIdentityHead


def test_golden_value(golden_batch):
    x, labels = golden_batch(3)
    head = CosineIdentityHead(16, num_ids=8).double()
    k, j = torch.arange(8).double()[:, None], torch.arange(16).double()
    head.classifier.weight.data = 5 * torch.sin(1.1 * k + 0.7 * j + 0.3)  # lengths do not count
    assert F.cross_entropy(head(x), labels).item() == pytest.approx(7.487722819743, abs=1e-10)


def test_the_best_that_it_can_reach():
    """Features on the corners of a simplex, whose weights they are."""
    corners = torch.eye(5) - 0.2
    head = CosineIdentityHead(5, num_ids=5, scale=3.0)
    head.classifier.weight.data = corners
    loss = F.cross_entropy(head(corners), torch.arange(5))
    assert loss.item() == pytest.approx(math.log(1 + 4 * math.exp(-3 * 5 / 4)))


def test_what_is_not_allowed_is_refused():
    with pytest.raises(ValueError, match='`scale` is 0'):
        CosineIdentityHead(4, num_ids=2, scale=0)
    with pytest.raises(ValueError, match='CosineIdentityHead: `num_ids` is None'):
        CosineIdentityHead(4, num_ids=None)
