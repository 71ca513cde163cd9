import pytest
import torch

from mmvireid.models.heads import IdentityHead


def test_is_a_product_with_small_weights():
    head = IdentityHead(2048, num_ids=100)
    feature = torch.randn(3, 2048)
    torch.testing.assert_close(head(feature), feature @ head.classifier.weight.T)
    assert sum(p.numel() for p in head.parameters()) == 100 * 2048
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.02)


@pytest.mark.parametrize('num_ids', [0, None, 2.5])
def test_impossible_number_of_identities_is_named(num_ids):
    with pytest.raises(ValueError, match='`num_ids` is'):
        IdentityHead(8, num_ids=num_ids)
