import pytest
import torch
from torchvision.transforms import RandomErasing

from mmvireid.models.layers import RandomHoles


@pytest.mark.parametrize('p', [0.0, 0.5, 1.0])
def test_they_are_what_torchvision_erases(p):
    arguments = dict(p=p, scale=(0.02, 0.4), ratio=(0.3, 1 / 0.3))
    images = torch.rand(40, 3, 24, 12) + 1
    torch.manual_seed(0)
    expected = torch.stack([*map(RandomErasing(**arguments), images)])
    torch.manual_seed(0)
    holes = RandomHoles(**arguments)(images.shape)
    assert torch.equal(images.masked_fill(holes, 0.0), expected)
    assert 0.8 * p <= holes.flatten(1).any(1).float().mean() <= 1.2 * p


def test_an_image_without_room_stays_as_it_is():
    """As in torchvision; of no size up to the whole image do both sides fit into one row."""
    images = torch.rand(4, 3, 1, 40) + 1
    torch.manual_seed(0)
    expected = torch.stack([*map(RandomErasing(p=1.0), images)])
    assert torch.equal(expected, images)
    assert not RandomHoles(p=1.0)(images.shape).any()
