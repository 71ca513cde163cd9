import pytest
import torch

from mmvireid.models.batches import identity_shift, paired_labels


def test_labels_of_pairs_in_any_order_of_the_modalities():
    labels = torch.tensor([3, 5, 5, 3, 5, 5])
    is_visible = torch.tensor([True, True, False, False, True, False])
    with pytest.raises(ValueError, match=r'labels \[3, 5, 5\], the infrared ones \[5, 3, 5\]'):
        paired_labels(labels, is_visible)
    labels[2:4] = torch.tensor([3, 5])
    assert paired_labels(labels, is_visible).tolist() == [3, 5, 5]


def test_an_image_without_a_partner_is_noticed():
    with pytest.raises(ValueError, match=r'\[3, 5\], the infrared ones \[3\]'):
        paired_labels(torch.tensor([3, 5, 3]), torch.tensor([True, True, False]))


@pytest.mark.parametrize(('num_ids', 'num_instances'), [(2, 1), (2, 4), (18, 4), (5, 3)])
def test_a_rolled_row_meets_another_identity(num_ids, num_instances):
    labels = torch.randperm(50)[:num_ids].repeat_interleave(num_instances)
    shift = identity_shift(labels)
    assert shift == num_instances
    assert all(a != b for a, b in zip(labels.tolist(), labels.roll(shift).tolist()))


@pytest.mark.parametrize('labels', [[1, 1, 1], [1, 2, 1, 2], [1, 1, 2, 2, 2]])
def test_rows_that_would_meet_their_own_identity_are_noticed(labels):
    with pytest.raises(ValueError, match='at least two identities with equally many rows each'):
        identity_shift(torch.tensor(labels))
