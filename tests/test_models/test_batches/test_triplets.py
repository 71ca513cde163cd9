import pytest
import torch

from mmvireid.models.batches import check_cross_modality_batch, draw_cross_modality_triplets

LABELS = torch.tensor([0, 1, 0, 2, 1, 2, 0, 1, 1, 2])  # uneven, in no order
VISIBLE = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0, 0, 1], dtype=torch.bool)


def candidates(i, same):
    """Positions of the other modality, of the same or of another identity."""
    return [
        j for j in range(10) if VISIBLE[j] != VISIBLE[i] and bool(LABELS[j] == LABELS[i]) == same
    ]


def test_all_candidates_are_drawn_equally_often_and_nothing_else():
    torch.manual_seed(0)
    draws = 2000
    counts = torch.zeros(2, 10, 10)
    for _ in range(draws):
        for kind, drawn in enumerate(draw_cross_modality_triplets(LABELS, VISIBLE)):
            counts[kind, torch.arange(10), drawn] += 1
    for kind, same in enumerate((True, False)):
        for i in range(10):
            allowed = candidates(i, same)
            assert counts[kind, i].nonzero().flatten().tolist() == allowed
            share = 1 / len(allowed)
            deviation = (draws * share * (1 - share)) ** 0.5
            assert (counts[kind, i, allowed] - draws * share).abs().max() <= 5 * deviation


def test_a_seed_repeats_the_draw():
    def draw(seed):
        torch.manual_seed(seed)
        return torch.stack(draw_cross_modality_triplets(LABELS.repeat(4), VISIBLE.repeat(4)))

    first, other = draw(1), draw(2)
    assert first.equal(draw(1))
    assert not first.equal(other)


@pytest.mark.parametrize('function', [check_cross_modality_batch, draw_cross_modality_triplets])
@pytest.mark.parametrize(
    ('labels', 'visible', 'message'),
    [
        ([7, 7, 8, 8, 9], [1, 0, 1, 0, 1], r'visible image 4 .*gt_label 9\) has no .* same'),
        ([7, 7, 9, 8], [1, 0, 0, 1], r'infrared image 2 .*gt_label 9\) has no .* same'),
        ([5, 5, 5], [1, 0, 0], r'visible image 0 .*gt_label 5\) has no image of another'),
        ([5, 5, 6, 6], [1, 1, 1, 1], r'visible image 0 .*gt_label 5\) has no image of same'),
    ],
)
def test_an_impossible_triplet_names_identity_and_modality(labels, visible, message, function):
    with pytest.raises(ValueError, match=message):
        function(torch.tensor(labels), torch.tensor(visible).bool())


def test_two_identities_of_both_modalities_pass_in_any_order():
    check_cross_modality_batch(LABELS, VISIBLE)
    check_cross_modality_batch(torch.tensor([3, 8, 8, 3]), torch.tensor([True, False, True, False]))
