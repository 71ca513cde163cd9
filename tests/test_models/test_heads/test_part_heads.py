import pytest
import torch

from mmvireid.models.heads import PartHeads


def test_each_part_has_a_classifier_of_its_own():
    head = PartHeads(6, num_parts=3, num_ids=4, part=dict(type='IdentityHead', bias=True))
    features = [torch.rand(5, 6) for _ in range(3)]
    for logits, feature, part in zip(head(features), features, head.heads):
        expected = feature @ part.classifier.weight.T + part.classifier.bias
        torch.testing.assert_close(logits, expected)
    assert len({id(part.classifier.weight) for part in head.heads}) == 3
    assert not torch.equal(head.heads[0].classifier.weight, head.heads[1].classifier.weight)


def test_sizes_follow():
    with pytest.raises(ValueError, match='`part` is .*expected none of'):
        PartHeads(6, num_parts=2, num_ids=4, part=dict(type='IdentityHead', num_ids=3))
    head = PartHeads(6, num_parts=2, num_ids=4, part=dict(type='IdentityHead'))
    with pytest.raises(ValueError, match='zip'):
        head([torch.rand(5, 6)])
