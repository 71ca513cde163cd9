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


def test_with_a_bias_behind_a_leaky_rectifier():
    head = IdentityHead(8, num_ids=3, bias=True, negative_slope=0.1)
    assert not head.classifier.bias.any()
    head.classifier.bias.data += torch.rand(3)
    feature = torch.randn(4, 8)
    leaky = torch.where(feature > 0, feature, 0.1 * feature)
    expected = leaky @ head.classifier.weight.T + head.classifier.bias
    torch.testing.assert_close(head(feature), expected)


def test_torchs_own_start():
    torch.manual_seed(0)
    head = IdentityHead(64, num_ids=50, bias=True, std=None)
    torch.manual_seed(0)
    expected = torch.nn.Linear(64, 50)
    assert torch.equal(head.classifier.weight, expected.weight)
    assert torch.equal(head.classifier.bias, expected.bias)
