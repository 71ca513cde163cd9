import pytest
import torch

from mmvireid.models.generators import Codes, join_codes

SIZES = dict(style=3, pose=2, illumination=1)


def labelled(image, count=1):
    """Codes whose values tell of which image (hundreds), block (tens) and factor they are."""
    images = 100.0 * (image + torch.arange(count))
    blocks = 10.0 * torch.arange(4)
    attributes = [
        (images[:, None, None] + blocks[:, None] + index).expand(-1, -1, size)
        for index, size in enumerate(SIZES.values(), start=1)
    ]
    return Codes(images[:, None, None, None].expand(-1, 5, 2, 2), *attributes)


def test_attributes_interleave_the_factors_by_block():
    attributes = labelled(7, count=2).attributes
    assert attributes.shape == (2, 4, 6)
    for image in range(2):
        for block in range(4):
            start = 100 * (7 + image) + 10 * block
            parts = [start + 1] * 3 + [start + 2] * 2 + [start + 3]
            assert attributes[image, block].tolist() == parts


def test_excluded_codes_are_pose_and_illumination_of_all_blocks():
    excluded = labelled(1, count=2).excluded
    assert excluded.shape == (2, 4 * 3)
    blocks = [[10 * block + part for part in (2, 2, 3)] for block in range(4)]
    for image in range(2):
        expected = 100 * (1 + image) + torch.tensor(blocks).flatten()
        assert sorted(excluded[image].tolist()) == expected.tolist()


def test_shown_as_takes_pose_and_illumination_of_the_other():
    person, shown = labelled(1), labelled(2)
    swapped = person.shown_as(shown)
    assert (swapped.prototype == 100).all()
    origins = {name: getattr(swapped, name).flatten()[0].item() // 100 for name in SIZES}
    assert origins == dict(style=1, pose=2, illumination=2)
    for before, after in ((labelled(1), person), (labelled(2), shown)):
        assert all(torch.equal(a, b) for a, b in zip(before, after))


def test_swapped_codes_carry_gradients_to_whom_they_are_from():
    person, shown = (Codes(*(c.clone().requires_grad_() for c in labelled(i))) for i in (1, 2))
    swapped = person.shown_as(shown)
    (swapped.attributes.sum() + swapped.prototype.sum()).backward()
    assert [code.grad is not None for code in person] == [True, True, False, False]
    assert [code.grad is not None for code in shown] == [False, False, True, True]


def test_joined_codes_stand_one_after_the_other():
    joined = join_codes([labelled(1, count=2), labelled(5), labelled(3, count=3)])
    expected = [100, 200, 500, 300, 400, 500]
    assert joined.prototype[:, 0, 0, 0].tolist() == expected
    for name in SIZES:
        code = getattr(joined, name)
        assert code.shape == (6, 4, SIZES[name])
        assert (code[:, 0, 0] // 100 * 100).tolist() == expected


def test_a_code_cannot_be_overwritten():
    with pytest.raises(AttributeError):
        labelled(1).style = torch.zeros(1)
