import itertools

import cv2
import numpy as np
import pytest
import torch

from mmvireid.models.backbones import SobelEdges, resize_edges
from mmvireid.models.backbones.sobel import KERNELS, LARGEST


@pytest.fixture
def images():
    return torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))


def opencv_responses(image):
    """OpenCV's four responses (4, H, W) of an image (3, H, W), and its brightness."""
    brightness = cv2.cvtColor(image.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY)
    border = dict(borderType=cv2.BORDER_REPLICATE)
    straight = [cv2.Sobel(brightness, cv2.CV_32F, *order, **border) for order in ((1, 0), (0, 1))]
    slanted = [
        cv2.filter2D(brightness, cv2.CV_32F, np.float32(KERNELS[angle]), **border)
        for angle in (45, 135)
    ]
    return np.stack(straight + slanted)


@pytest.mark.parametrize(
    ('combine', 'combined'),
    [
        ('abs_sum', lambda r: np.abs(r).sum(0) / 12),
        ('root', lambda r: np.sqrt((r**2).sum(0)) / np.sqrt(40)),
        ('max', lambda r: np.abs(r).max(0) / 4),
        ('signed', lambda r: r.sum(0) / 12),
    ],
)
def test_edges_equal_opencv(images, combine, combined):
    edges = SobelEdges(combine)(images)
    assert edges.shape == (2, 1, 9, 7)
    for ours, image in zip(edges, images):
        np.testing.assert_allclose(ours[0], combined(opencv_responses(image)), atol=2e-4)


def test_the_kernels_are_one_turned_by_45_degrees():
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]  # clockwise
    rings = {angle: [KERNELS[angle][i][j] for i, j in ring] for angle in KERNELS}
    rolled = [tuple(np.roll(rings[0], shift)) for shift in range(8)]
    assert all(tuple(values) in rolled for values in rings.values())
    assert len({tuple(values) for values in rings.values()}) == 4


def test_the_largest_values_are_those_of_all_black_and_white_patches():
    """Every combination is convex, so its maximum stands in a corner of the cube."""
    corners = itertools.product([0.0, 1.0], repeat=9)
    patches = torch.tensor(list(corners)).view(-1, 1, 3, 3).expand(-1, 3, -1, -1)
    for combine in LARGEST:
        centre = SobelEdges(combine)(patches)[:, 0, 1, 1]
        assert centre.abs().max().item() == pytest.approx(1, abs=1e-5), combine


def test_the_signed_sum_is_blind_to_edges_along_its_slope():
    """It is one kernel, which measures 20 x-slope + 8 y-slope."""
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing='ij')
    ramp = (0.05 * (8 * x - 20 * y) / 20 + 0.5).expand(1, 3, -1, -1)
    inside = (..., slice(1, -1), slice(1, -1))
    assert SobelEdges('signed')(ramp)[inside].abs().max() < 1e-6
    assert SobelEdges('abs_sum')(ramp)[inside].min() > 0.05


def test_magnitudes_do_not_depend_on_which_side_is_bright(images):
    for combine in ('abs_sum', 'root', 'max'):
        edges = SobelEdges(combine)
        torch.testing.assert_close(edges(1 - images), edges(images), atol=1e-6, rtol=0)
    signed = SobelEdges('signed')
    torch.testing.assert_close(signed(1 - images), -signed(images), atol=1e-6, rtol=0)


def test_a_flat_image_has_no_frame():
    assert SobelEdges()(torch.full((1, 3, 5, 4), 0.7)).abs().max() < 1e-6


def test_no_gradient_no_autocast_no_state(images):
    edges = SobelEdges()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = edges(images.requires_grad_())
    assert found.dtype == torch.float32
    assert not found.requires_grad
    assert not edges.state_dict()


def test_resizing_equals_opencv_and_pooling():
    edges = torch.rand(2, 1, 16, 8)
    blocks = edges.view(2, 1, 4, 4, 2, 4)
    torch.testing.assert_close(resize_edges(edges, (4, 2)), blocks.mean((3, 5)))
    torch.testing.assert_close(resize_edges(edges, (4, 2), 'max'), blocks.amax((3, 5)))
    twice = torch.nn.functional.max_pool2d(torch.nn.functional.max_pool2d(edges, 2), 2)
    torch.testing.assert_close(resize_edges(edges, (4, 2), 'max'), twice)
    expected = cv2.resize(edges[0, 0].numpy(), (2, 4), interpolation=cv2.INTER_LINEAR)
    found = resize_edges(edges, (4, 2), 'bilinear')[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="SobelEdges: `combine` is 'sum', expected one of"):
        SobelEdges('sum')
    with pytest.raises(ValueError, match="resize_edges: `resize` is 'nearest'"):
        resize_edges(torch.rand(1, 1, 4, 4), (2, 2), 'nearest')
